"""Who may do what is a table: nobody gets more than it says, and what it does not name is for administrators."""

import pytest

from callsheet.core.permissions import Area, Need, Role, Scope, find_needs, need_of, only_reads


@pytest.mark.parametrize(
    ("role", "may"),
    [
        (Role.viewer, {Role.viewer}),
        (Role.operator, {Role.viewer, Role.operator, Role.agent}),
        (Role.admin, {Role.viewer, Role.operator, Role.agent, Role.admin}),
        (Role.agent, {Role.agent}),
    ],
)
def test_a_role_covers_what_is_below_it(role, may):
    assert {needed for needed in Role if role.covers(needed)} == may


def test_a_client_is_asked_for_its_scope_and_a_user_for_his_role():
    need = Need(Scope.campaign_management, Role.operator)

    assert need.is_met(scopes={"campaign_management"})
    assert not need.is_met(scopes=set(Scope) - {Scope.campaign_management})
    assert need.is_met(role=Role.admin)
    assert not need.is_met(scopes={"campaign_management"}, role=Role.viewer)


@pytest.mark.parametrize(
    ("area", "path", "method", "scope", "role"),
    [
        (Area.compat, ("campaign",), "POST", Scope.campaign_management, Role.operator),
        (Area.compat, ("campaign", "x", "status"), "POST", Scope.campaign_management, Role.viewer),
        (Area.compat, ("campaign", "x", "status"), "GET", Scope.campaign_management, Role.viewer),
        (Area.compat, ("campaign", "contactlist", "x"), "DELETE", Scope.campaign_management, Role.operator),
        (Area.compat, ("outboundsms",), "POST", Scope.outbound_sms, Role.operator),
        (Area.compat, ("queues", "dynamicqueues", "priorities"), "PUT", Scope.configuration, Role.admin),
        (Area.compat, ("interactiondetails",), "POST", Scope.analytics, Role.viewer),
        (Area.app, ("settings",), "GET", Scope.campaign_management, Role.viewer),
        (Area.app, ("settings",), "PATCH", Scope.administration, Role.admin),
        (Area.app, ("contact-lists", "x", "contacts", "find"), "POST", Scope.campaign_management, Role.viewer),
        (Area.app, ("senders",), "POST", Scope.campaign_management, Role.admin),
        (Area.app, ("clients", "x", "secret"), "POST", Scope.administration, Role.admin),
        (Area.app, ("audit",), "GET", Scope.administration, Role.admin),
        (Area.app, (), "PATCH", Scope.administration, Role.admin),
        (Area.account, ("apps",), "POST", Scope.administration, Role.admin),
    ],
)
def test_what_a_call_needs(area, path, method, scope, role):
    assert need_of(area, path, method) == Need(scope, role)


@pytest.mark.parametrize("path", [("nothing",), ("", "campaigns"), ("campaigns2",), ("smartassist",)])
@pytest.mark.parametrize("area", Area)
def test_what_the_table_does_not_name_is_for_administrators(area, path):
    assert find_needs(area, path) is None
    assert need_of(area, path, "GET") == Need(Scope.administration, Role.admin)


def test_a_word_in_other_case_is_the_same_word():
    assert need_of(Area.app, ("Campaigns",), "GET") == need_of(Area.app, ("campaigns",), "GET")


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "BREW"])
def test_whatever_is_not_known_to_look_writes(method):
    assert not only_reads(Area.app, ("templates", "x"), method)
    assert not only_reads(Area.compat, ("campaign", "x"), method)


def test_a_look_by_post_is_a_look_for_that_path_only():
    assert only_reads(Area.compat, ("campaign", "status", "status"), "POST")
    assert not only_reads(Area.compat, ("campaign", "x", "y", "status"), "POST")
    assert not only_reads(Area.compat, ("campaign", "trigger", "status"), "POST")
    assert not only_reads(Area.app, ("campaign", "x", "status"), "POST")
    assert not only_reads(Area.compat, ("campaign", "x", "status"), "PUT")


@pytest.mark.parametrize(
    ("role", "reads", "writes"),
    [
        (Role.viewer, True, False),
        (Role.agent, True, True),
        (Role.operator, True, True),
        (Role.admin, True, True),
    ],
)
def test_agents_answer_conversations_and_viewers_read_them(role, reads, writes):
    look = need_of(Area.app, ("conversations", "c-1"), "GET")
    take = need_of(Area.app, ("conversations", "c-1", "take"), "POST")

    assert (look.is_met(role=role), take.is_met(role=role)) == (reads, writes)
    assert need_of(Area.app, ("conversations", "find"), "POST") == look
    assert not need_of(Area.app, ("campaigns",), "GET").is_met(role=Role.agent)
    assert need_of(Area.app, ("queues",), "GET").is_met(role=role), "whose inbox one looks into"
    assert need_of(Area.app, ("queues",), "POST").is_met(role=role) == (role is Role.admin)


def test_somebody_who_is_viewer_here_and_agent_there_is_a_viewer_of_the_account():
    assert Role.highest([Role.agent, Role.viewer]) is Role.highest([Role.viewer, Role.agent]) is Role.viewer
