"""An upgrade asks for nothing by itself: what an experiment or a game day asks for has the digest that it had.

The digest is of the spec with the models' defaults. A field that is added with a default other than None changes it for
everything that is stored, and all of it would be run again, in production, by a `helm upgrade`.
"""

from tests.support import digests

REMEDY = "python -m tests.support.digests"


def test_what_is_asked_for_has_the_digest_that_it_had() -> None:
    before, now = digests.written(), digests.examples()
    assert {name: example["spec"] for name, example in now.items()} == {
        name: example["spec"] for name, example in before.items()
    }, f"an example was changed: write its digest anew with {REMEDY}"
    changed = [name for name, example in now.items() if example != before[name]]
    assert not changed, "the same specs would be run again after an upgrade: leave out defaults, or read them as before"
