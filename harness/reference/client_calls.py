"""The calls of the adapter contract, as the reference client has them."""

from __future__ import annotations

# The name of a method and of its arguments, in order, for each call of the contract.
CLIENT_CALLS: dict[str, tuple[str, tuple[str, ...]]] = {
    "login": ("login", ("token", "uid")),
    "logout": ("logout", ()),
    "renewToken": ("renew_token", ("token",)),
    "join": ("join", ("channel",)),
    "leave": ("leave", ("channel",)),
    "sendToPeer": ("send_to_peer", ("peer", "text")),
    "sendToChannel": ("send_to_channel", ("channel", "text")),
    "getMembers": ("get_members", ("channel",)),
    "setAttributes": ("set_attributes", ("attributes",)),
    "addAttributes": ("add_attributes", ("attributes",)),
    "deleteAttributes": ("delete_attributes", ("keys",)),
    "getAttributes": ("get_attributes", ("uid",)),
    "queryOnline": ("query_online", ("uids",)),
}
