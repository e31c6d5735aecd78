"""The hooks, one file per hook id; installed as `gitops_model.hooks` and started by `gitops-model-hook ID`."""


def main(argv: list[str] | None = None) -> int:
    """Run the hook that the first argument names; returns the exit code."""
    raise NotImplementedError(argv)
