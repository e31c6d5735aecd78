"""Whose environment git gets."""

from gitops_model.git.environment import for_other, for_this, offline

HOOK = {
    "PATH": "/usr/bin",
    "GIT_DIR": ".git",
    "GIT_INDEX_FILE": ".git/index.lock",
    "GIT_PREFIX": "",
    "GIT_AUTHOR_NAME": "Me",
    "GIT_SSH_COMMAND": "ssh -i key",
    "GIT_ICASE_PATHSPECS": "1",
    "GIT_GLOB_PATHSPECS": "1",
}


def test_a_hook_keeps_its_index() -> None:
    env = for_this(HOOK)
    assert env["GIT_INDEX_FILE"] == ".git/index.lock"
    assert env["GIT_DIR"] == ".git"


def test_pathspecs_are_literal_whatever_the_user_set() -> None:
    env = for_this(HOOK)
    assert env["GIT_LITERAL_PATHSPECS"] == "1"
    assert not {"GIT_ICASE_PATHSPECS", "GIT_GLOB_PATHSPECS"} & set(env)


def test_another_repository_gets_none_of_it_but_the_users_own_settings() -> None:
    assert for_other(HOOK) == {
        name: HOOK[name]
        for name in ("PATH", "GIT_AUTHOR_NAME", "GIT_SSH_COMMAND", "GIT_ICASE_PATHSPECS", "GIT_GLOB_PATHSPECS")
    }


def test_nothing_is_fetched_behind_our_back() -> None:
    env = offline(HOOK)
    assert env["GIT_NO_LAZY_FETCH"] == "1"
    assert env["GIT_ALLOW_PROTOCOL"] == "none"
    assert "GIT_NO_LAZY_FETCH" not in HOOK
