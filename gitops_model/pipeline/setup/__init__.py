"""Setting a repository up without the pre-commit framework, undoing that, and saying how things stand.

    install(repository, programs) / uninstall(repository)   what `init --hooks` and `init --uninstall` do
    doctor(cwd, environ)                                    what `doctor` says

One file per part: native hooks, the diff driver, attributes, notes refspecs. Each part has `install` and `uninstall`,
which return what they did, and leaves everything that it did not write as it was, byte for byte.
"""

from gitops_model.errors import CouldNotRun
from gitops_model.git.repository import Repository
from gitops_model.render.setup import Step


def install(repository: Repository, programs: str) -> tuple[Step, ...]:
    """Set everything up; a second time changes nothing. `programs` is the folder of our console scripts."""
    from gitops_model.pipeline.setup import attributes, driver, hooks, refspecs

    if repository.root is None:
        raise CouldNotRun("a bare repository runs no such hooks; set up the clones that people work in")
    return (
        *hooks.install(repository, programs),
        *driver.install(repository),
        *attributes.install(repository),
        *refspecs.install(repository),
    )


def uninstall(repository: Repository) -> tuple[Step, ...]:
    """Take away what `install` wrote, and put back what was there before."""
    from gitops_model.pipeline.setup import attributes, driver, hooks, refspecs

    return (
        *refspecs.uninstall(repository),
        *attributes.uninstall(repository),
        *driver.uninstall(repository),
        *hooks.uninstall(repository),
    )
