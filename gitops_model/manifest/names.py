"""Which files are manifests, by name alone; imports nothing, so that a hook may ask."""


def is_manifest_path(path: str) -> bool:
    """`model.yaml` or `*.model.yaml`."""
    name = path.rpartition("/")[2]
    return name == "model.yaml" or (name.endswith(".model.yaml") and name != ".model.yaml")
