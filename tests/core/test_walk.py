from callsheet.core.campaign import Order
from callsheet.core.walk import Cursor, Group, choose

LISTS = (7, 3)


def group(list_no: int, group_no: int, priority: int = 0) -> Group:
    return Group(list_no, group_no, None, frozenset(), priority)


def chosen(cursors: list[Cursor], groups: list[Group], order: Order = Order.fifo) -> Cursor | None:
    return choose(cursors, {(g.list_no, g.group_no): g for g in groups}, LISTS, order)


def test_the_highest_contact_priority_comes_first() -> None:
    low, high = Cursor(7, 0, 0, 0, 99), Cursor(3, 0, 1, 50, 99)
    assert chosen([low, high], [group(7, 0, 1), group(3, 1, 10)]) == high


def test_lists_come_in_the_order_given() -> None:
    first, second = Cursor(7, 0, 0, 90, 99), Cursor(3, 0, 0, 0, 99)
    for order in Order:
        assert chosen([second, first], [group(7, 0), group(3, 0)], order) == first


def test_fifo_takes_the_lowest_position_and_lifo_the_highest() -> None:
    old, new = Cursor(7, 0, 0, 10, 99), Cursor(7, 1, 0, 100, 120)
    assert chosen([new, old], [group(7, 0)]) == old
    assert chosen([new, old], [group(7, 0)], Order.lifo) == new


def test_closed_groups_and_exhausted_cursors_are_passed_over() -> None:
    done, closed, left = Cursor(7, 0, 0, 100, 99), Cursor(7, 0, 1, 0, 99), Cursor(3, 0, 2, 5, 5)
    assert chosen([done, closed, left], [group(7, 0), group(3, 2)]) == left
    assert chosen([done, closed], [group(7, 0)]) is None
