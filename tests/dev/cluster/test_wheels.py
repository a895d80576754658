"""Wheels are chosen for the image's Python and C library, whatever runs here."""

from dev.cluster import wheels


def test_pip_is_asked_for_the_image_s_platform() -> None:
    options = wheels.platform_options("x86_64")
    assert "--python-version=3.11" in options
    assert "--platform=manylinux_2_36_x86_64" in options
    assert "--platform=manylinux2014_x86_64" in options
    assert "--platform=manylinux_2_37_x86_64" not in options
    assert {"--abi=cp311", "--abi=abi3", "--abi=none"} <= set(options)


def test_other_machines_have_no_old_platforms() -> None:
    assert not any("manylinux1" in option for option in wheels.platform_options("aarch64"))
