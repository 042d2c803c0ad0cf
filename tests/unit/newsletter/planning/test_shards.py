"""Shards around what the dead have left: near ones together, so that little else is claimed with them."""

from newsletter.planning.shards import NEAR, Shard, shards_around


def test_near_deliveries_are_in_one_shard_and_distant_ones_in_two():
    found = shards_around([(1, 5), (1, 7), (1, 7 + NEAR), (1, 8 + 2 * NEAR)])

    assert found == [Shard(1, 5, 7 + NEAR), Shard(1, 8 + 2 * NEAR, 8 + 2 * NEAR)]


def test_runs_are_kept_apart_and_single_messages_left_out():
    assert shards_around([(2, 6), (None, 5), (1, 5)]) == [Shard(1, 5, 5), Shard(2, 6, 6)]
