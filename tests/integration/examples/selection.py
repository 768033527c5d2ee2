"""Which scenarios the examples are certified by here: each capability and each way to lose a session, in some 15 s."""

from __future__ import annotations

FOR_CLIENTS = (
    "login_that_succeeds",
    "a_visible_loss_interrupts_after_4_s",
    "a_loss_recovered_within_3_5_s_switches_nothing and freeze_to_server",
    "a_join_while_reconnecting_waits_for_the_return",
    "attributes_are_kept_over_a_short_outage",
    "a_logged_in_user_is_online_to_others",
    "send_from_inside_a_message",
    "a_renewed_token_is_the_one_that_it_comes_back_with",
    "a_takeover_leaves_the_channels_at_once",
    "logout_from_inside_the_kick",
)
FOR_SERVERS = (
    "login_that_succeeds",
    "a_visible_loss_interrupts_after_4_s",
    "a_join_while_reconnecting_waits_for_the_return",
    "a_restarted_server_is_told_channels_and_attributes_again",
    "a_server_that_stands_still_for_2_s_interrupts_nobody",
    "send_from_inside_a_message",
    "a_renewed_token_is_the_one_that_it_comes_back_with",
    "a_takeover_leaves_the_channels_at_once",
    "a_ban_while_connected_aborts",
    "a_logout_is_told_to_others_at_once",
)
