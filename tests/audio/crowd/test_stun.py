"""STUN by the test vectors of RFC 5769, and by what one side makes of the other's messages."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from showstopper.audio.crowd import stun

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff80290008932ff9b1"
    "51263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a280280004e57a3bcf"
)
RESPONSES = {
    ("192.0.2.1", 32853): bytes.fromhex(
        "0101003c2112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000080001a147e112a643"
        "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d780280004c07d4c96"
    ),
    ("2001:db8:1234:5678:11:2233:4455:6677", 32853): bytes.fromhex(
        "010100482112a442b7e7a701bc34d686fa87dfae8022000b7465737420766563746f7220002000140002a1470113a9faa5d3f179bc25f4"
        "b5bed2b9d900080014a382954e4be67bf11784c97c8292c275bfe3ed4180280004c8fb0b4c"
    ),
}
ADDRESSES = st.tuples(st.ip_addresses().map(str), st.integers(1, 65535))
TRANSACTIONS = st.binary(min_size=12, max_size=12)


def test_it_reads_and_verifies_the_request_of_the_rfc() -> None:
    message = stun.read(REQUEST)
    assert message is not None
    assert message.kind == stun.REQUEST
    assert message.attributes[stun.USERNAME] == b"evtj:h6vY"
    assert message.attributes[stun.PRIORITY] == bytes.fromhex("6e0001ff")
    assert message.is_sealed_with(PASSWORD)
    assert not message.is_sealed_with(PASSWORD + b"!")


def test_it_writes_the_addresses_and_the_seal_of_the_rfc() -> None:
    for address, expected in RESPONSES.items():
        message = stun.read(expected)
        assert message is not None
        assert message.is_sealed_with(PASSWORD)
        mapped = stun.mapped_address(address, message.transaction)
        assert mapped[4:] == message.attributes[stun.XOR_MAPPED_ADDRESS]
        software = b"\x80\x22\x00\x0btest vector "  # the vectors pad with a space
        assert stun.response(message.transaction, software + mapped, PASSWORD) == expected


@given(ADDRESSES, TRANSACTIONS, st.binary(max_size=64))
def test_an_answer_says_where_the_request_came_from(address: stun.Address, transaction: bytes, key: bytes) -> None:
    message = stun.read(stun.response(transaction, stun.mapped_address(address, transaction), key))
    assert message is not None
    assert message.transaction == transaction
    assert message.is_sealed_with(key)
    value = message.attributes[stun.XOR_MAPPED_ADDRESS]
    assert int.from_bytes(value[2:4], "big") ^ stun.COOKIE >> 16 == address[1]
    packed = ipaddress.ip_address(address[0]).packed
    pad = stun.COOKIE.to_bytes(4, "big") + transaction
    assert bytes(masked ^ mask for masked, mask in zip(value[4:], pad, strict=False)) == packed


@given(TRANSACTIONS, st.binary(min_size=1, max_size=40), st.data())
def test_whoever_changes_a_sealed_message_is_not_believed(transaction: bytes, key: bytes, data: st.DataObject) -> None:
    sealed = stun.response(transaction, stun.mapped_address(("192.0.2.1", 7882), transaction), key)
    at = data.draw(st.integers(0, len(sealed) - 1 - 8))  # FINGERPRINT behind the seal guards nothing
    changed = bytearray(sealed)
    changed[at] ^= data.draw(st.integers(1, 255))
    message = stun.read(bytes(changed))
    assert message is None or not message.is_sealed_with(key)


@given(st.integers(0, 120))
def test_a_message_that_is_cut_off_is_none(length: int) -> None:
    assert stun.read(REQUEST[: min(length, len(REQUEST) - 1)]) is None
