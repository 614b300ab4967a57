"""Whose a connection is: the kernel's tables, as text and for real."""

from __future__ import annotations

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pvlink.streamer.pvserver import peers

pytestmark = pytest.mark.servers

HEAD = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
REST = "00000000:00000000 00:00000000 00000000"
TABLE = (
    HEAD
    + f"   0: 0100007F:2B67 00000000:0000 0A {REST}  1000        0 5001 1 0000000000000000 100 0 0 10 0\n"
    + f"   1: 00000000:2B68 00000000:0000 0A {REST}    33        0 5002 1 0000000000000000 100 0 0 10 0\n"
    + f"   2: 0100007F:D431 0100007F:2B67 01 {REST}  1001        0 5003 1 0000000000000000 20 4 30 10 -1\n"
    + f"   3: 0100007F:2B67 0100007F:D431 01 {REST}  1000        0 5004 1 0000000000000000 20 4 30 10 -1\n"
)
TABLE_6 = (
    HEAD
    + f"   0: 00000000000000000000000000000000:2B69 00000000000000000000000000000000:0000 0A {REST}  7 0 6001 1 0\n"
    + f"   1: 0000000000000000FFFF00000100007F:D432 0000000000000000FFFF00000100007F:2B67 01 {REST}  8 0 6002 1 0\n"
    + f"   2: 00000000000000000000000001000000:2B6A 00000000000000000000000000000000:0000 0A {REST}  9 0 6003 1 0\n"
)
BOTH = [*peers.rows(TABLE), *peers.rows(TABLE_6)]


def test_rows_are_read_with_their_addresses_the_right_way_round() -> None:
    assert BOTH[0] == peers.Row(("127.0.0.1", 11111), ("0.0.0.0", 0), 10, 1000, 5001)
    assert [row.uid for row in BOTH] == [1000, 33, 1001, 1000, 7, 8, 9]
    assert BOTH[5].local == ("127.0.0.1", 0xD432)
    assert BOTH[6].local == ("::1", 0x2B6A)


def test_the_other_end_of_a_connection_is_the_row_that_sees_it_the_other_way_round() -> None:
    assert peers.owner(BOTH, theirs=("127.0.0.1", 0xD431), ours=("127.0.0.1", 11111)) == 1001
    assert peers.owner(BOTH, theirs=("127.0.0.1", 11111), ours=("127.0.0.1", 0xD431)) == 1000
    assert peers.owner(BOTH, theirs=("::ffff:127.0.0.1", 0xD432), ours=("127.0.0.1", 11111)) == 8
    assert peers.owner(BOTH, theirs=("127.0.0.1", 1), ours=("127.0.0.1", 11111)) is None


def test_who_listens_just_there_is_meant_before_who_listens_everywhere() -> None:
    wide = [*BOTH, peers.Row(("0.0.0.0", 11111), ("0.0.0.0", 0), peers.LISTENING, 66, 1)]

    assert [row.uid for row in peers.listeners(wide, ("127.0.0.1", 11111))] == [1000]
    assert [row.uid for row in peers.listeners(wide, ("127.0.0.2", 11111))] == [66]
    assert [row.uid for row in peers.listeners(wide, ("127.0.0.1", 0x2B69))] == [7]
    assert peers.listeners(wide, ("127.0.0.1", 0xD431)) == []


@given(st.text(alphabet="0123456789ABCDEF: \n-x", max_size=200))
def test_what_is_no_row_is_passed_over(text: str) -> None:
    assert all(isinstance(row.uid, int) for row in peers.rows(HEAD + text))


@pytest.mark.parametrize(("family", "host"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_connection_of_ours_is_found_in_the_real_tables(family: socket.AddressFamily, host: str) -> None:
    with socket.socket(family) as listener:
        try:
            listener.bind((host, 0))
        except OSError as error:
            pytest.skip(f"no {host} here: {error}")
        listener.listen()
        with socket.create_connection(listener.getsockname()[:2]) as near, listener.accept()[0] as far:
            assert peers.uid(near) == peers.uid(far) == os.getuid()
            assert peers.is_local(near)
            found = peers.listeners(peers.read(), listener.getsockname()[:2])
            assert [row.uid for row in found] == [os.getuid()]
            assert peers.holder(found[0]).endswith(f"(process {os.getpid()})")


def test_another_user_is_named_by_name_or_number() -> None:
    assert peers.user(0) == "the user root"
    assert peers.user(3_999_999_999) == "the user with the number 3999999999"
    assert peers.holder(peers.Row(("::", 1), ("::", 0), 10, 3_999_999_999, 1)).startswith("a process of the user with")
