"""The environment of the git processes that we start: whose repository, which language, and no surprise network."""

from collections.abc import Mapping

LOCAL = (
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_CONFIG",
    "GIT_CONFIG_COUNT",
    "GIT_CONFIG_PARAMETERS",
    "GIT_DIR",
    "GIT_GRAFT_FILE",
    "GIT_IMPLICIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_INTERNAL_SUPER_PREFIX",
    "GIT_NAMESPACE",
    "GIT_NO_REPLACE_OBJECTS",
    "GIT_OBJECT_DIRECTORY",
    "GIT_PREFIX",
    "GIT_QUARANTINE_PATH",
    "GIT_REPLACE_REF_BASE",
    "GIT_SHALLOW_FILE",
    "GIT_WORK_TREE",
)
"""What binds a process to one repository (`git rev-parse --local-env-vars`)."""

_PATHSPEC = ("GIT_GLOB_PATHSPECS", "GIT_NOGLOB_PATHSPECS", "GIT_ICASE_PATHSPECS", "GIT_LITERAL_PATHSPECS")


def for_this(environ: Mapping[str, str]) -> dict[str, str]:
    """For the repository that we were called in: a hook's GIT_INDEX_FILE and GIT_DIR stay.

    Messages are English, pathspecs are literal, optional locks are not taken, and `refs/replace` is ignored: an object
    id means the bytes that hash to it.
    """
    env = {name: value for name, value in environ.items() if name not in _PATHSPEC}
    env["LC_ALL"] = "C"
    env["GIT_LITERAL_PATHSPECS"] = "1"
    env["GIT_NO_REPLACE_OBJECTS"] = "1"
    env["GIT_OPTIONAL_LOCKS"] = "0"
    return env


def for_other(environ: Mapping[str, str]) -> dict[str, str]:
    """The same mapping without what binds it to the repository under a hook, to talk to another repository."""
    return {name: value for name, value in environ.items() if name not in LOCAL}


def offline(env: Mapping[str, str]) -> dict[str, str]:
    """No object is downloaded: a partial clone would fetch what is missing, whatever the command.

    GIT_NO_LAZY_FETCH says so since git 2.45; before that, allowing only a transport that does not exist has the same
    effect, and it overrides `protocol.*.allow`.
    """
    return {**env, "GIT_NO_LAZY_FETCH": "1", "GIT_ALLOW_PROTOCOL": "none"}


def with_token(environ: Mapping[str, str], server: str, token: str) -> dict[str, str]:
    """The same environment, in which git sends a token to `server` (https://github.com) and to nobody else.

    Through GIT_CONFIG_*, so that it stands in no file and no argument list. The empty value drops a header that a
    checkout left in the configuration: two of them are refused.
    """
    from base64 import b64encode

    known = environ.get("GIT_CONFIG_COUNT", "0")
    count = int(known) if known.isdecimal() else 0
    secret = b64encode(f"x-access-token:{token}".encode()).decode()
    key = f"http.{server.rstrip('/')}/.extraheader"
    env = dict(environ)
    for number, value in enumerate(("", f"AUTHORIZATION: basic {secret}"), count):
        env[f"GIT_CONFIG_KEY_{number}"] = key
        env[f"GIT_CONFIG_VALUE_{number}"] = value
    env["GIT_CONFIG_COUNT"] = str(count + 2)
    return env
