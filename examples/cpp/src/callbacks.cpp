#include "callbacks.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

bool Callbacks::has(const std::string& name) {
  static const std::set<std::string> kNames = {
      "onLoginSuccess", "onLoginFailure",     "onLogout",
      "onTokenExpired", "onRenewTokenResult", "onConnectionStateChanged",
      "onJoinSuccess",  "onJoinFailure",      "onMessageReceivedFromPeer",
      "onLeave",        "onMemberJoined",     "onMemberLeft",
      "onMessageReceived"};
  return kNames.count(name) > 0;
}

void Callbacks::react(const std::string& name, std::function<void()> reaction) {
  const std::lock_guard<std::mutex> lock(mutex_);
  reactions_[name].push_back(std::move(reaction));
}

void Callbacks::came(const std::string& name, std::int64_t at_ns, json::Object args) {
  output_.event(name, at_ns, std::move(args));
  std::function<void()> reaction;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    auto& waiting = reactions_[name];
    if (waiting.empty()) return;
    reaction = std::move(waiting.front());
    waiting.pop_front();
  }
  reaction();  // outside of the lock: what it calls may call back on this very thread
}

// In each callback the clock is read first of all: what comes after it may have to wait for a lock.

void ServiceHandler::onLoginSuccess() { callbacks_.came("onLoginSuccess", now_ns(), {}); }

void ServiceHandler::onLoginFailure(rtm::LOGIN_ERR_CODE code) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onLoginFailure", at_ns, {{"code", static_cast<int>(code)}});
}

void ServiceHandler::onLogout(rtm::LOGOUT_ERR_CODE code) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onLogout", at_ns, {{"code", static_cast<int>(code)}});
}

void ServiceHandler::onConnectionStateChanged(rtm::CONNECTION_STATE state, rtm::CONNECTION_CHANGE_REASON reason) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onConnectionStateChanged", at_ns,
                  {{"state", static_cast<int>(state)}, {"reason", static_cast<int>(reason)}});
}

void ServiceHandler::onTokenExpired() { callbacks_.came("onTokenExpired", now_ns(), {}); }

void ServiceHandler::onRenewTokenResult(const char* token, rtm::RENEW_TOKEN_ERR_CODE code) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onRenewTokenResult", at_ns, {{"token", token}, {"code", static_cast<int>(code)}});
}

void ServiceHandler::onMessageReceivedFromPeer(const char* peer, const rtm::IMessage* message) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onMessageReceivedFromPeer", at_ns, {{"peer", peer}, {"text", message->getText()}});
}

void ServiceHandler::onSendMessageResult(long long id, rtm::PEER_MESSAGE_ERR_CODE code) {
  const std::int64_t at_ns = now_ns();
  outcomes_.came({"sendToPeer", id}, at_ns, {{"code", static_cast<int>(code)}});
}

void ServiceHandler::onQueryPeersOnlineStatusResult(long long id, const rtm::PeerOnlineStatus* peers, int count,
                                                    rtm::QUERY_PEERS_ONLINE_STATUS_ERR code) {
  const std::int64_t at_ns = now_ns();
  json::Object online;
  for (int i = 0; i < count; ++i) online[peers[i].peerId] = peers[i].isOnline;
  outcomes_.came({"queryOnline", id}, at_ns, {{"code", static_cast<int>(code)}, {"online", std::move(online)}});
}

void ServiceHandler::onSetLocalUserAttributesResult(long long id, rtm::ATTRIBUTE_OPERATION_ERR code) {
  const std::int64_t at_ns = now_ns();
  outcomes_.came({"setAttributes", id}, at_ns, {{"code", static_cast<int>(code)}});
}

void ServiceHandler::onAddOrUpdateLocalUserAttributesResult(long long id, rtm::ATTRIBUTE_OPERATION_ERR code) {
  const std::int64_t at_ns = now_ns();
  outcomes_.came({"addAttributes", id}, at_ns, {{"code", static_cast<int>(code)}});
}

void ServiceHandler::onDeleteLocalUserAttributesResult(long long id, rtm::ATTRIBUTE_OPERATION_ERR code) {
  const std::int64_t at_ns = now_ns();
  outcomes_.came({"deleteAttributes", id}, at_ns, {{"code", static_cast<int>(code)}});
}

void ServiceHandler::onGetUserAttributesResult(long long id, const char* /*uid*/, const rtm::RtmAttribute* attributes,
                                               int count, rtm::ATTRIBUTE_OPERATION_ERR code) {
  const std::int64_t at_ns = now_ns();
  json::Object values;
  for (int i = 0; i < count; ++i) values[attributes[i].key] = attributes[i].value;
  outcomes_.came({"getAttributes", id}, at_ns, {{"code", static_cast<int>(code)}, {"attributes", std::move(values)}});
}

void ChannelHandler::onJoinSuccess() {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onJoinSuccess", at_ns, {{"channel", channel_}});
}

void ChannelHandler::onJoinFailure(rtm::JOIN_CHANNEL_ERR code) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onJoinFailure", at_ns, {{"channel", channel_}, {"code", static_cast<int>(code)}});
}

void ChannelHandler::onLeave(rtm::LEAVE_CHANNEL_ERR code) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onLeave", at_ns, {{"channel", channel_}, {"code", static_cast<int>(code)}});
}

void ChannelHandler::onMemberJoined(rtm::IChannelMember* member) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onMemberJoined", at_ns, {{"channel", channel_}, {"member", member->getUserId()}});
}

void ChannelHandler::onMemberLeft(rtm::IChannelMember* member) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onMemberLeft", at_ns, {{"channel", channel_}, {"member", member->getUserId()}});
}

void ChannelHandler::onMessageReceived(const char* member, const rtm::IMessage* message) {
  const std::int64_t at_ns = now_ns();
  callbacks_.came("onMessageReceived", at_ns,
                  {{"channel", channel_}, {"member", member}, {"text", message->getText()}});
}

void ChannelHandler::onSendMessageResult(long long id, rtm::CHANNEL_MESSAGE_ERR_CODE code) {
  const std::int64_t at_ns = now_ns();
  outcomes_.came({"sendToChannel " + channel_, id}, at_ns, {{"code", static_cast<int>(code)}});
}

void ChannelHandler::onGetMembers(rtm::IChannelMember** members, int count, rtm::GET_MEMBERS_ERR code) {
  const std::int64_t at_ns = now_ns();
  std::vector<std::string> uids;
  for (int i = 0; i < count; ++i) uids.emplace_back(members[i]->getUserId());
  std::sort(uids.begin(), uids.end());
  outcomes_.came({"getMembers " + channel_, 0}, at_ns,
                 {{"code", static_cast<int>(code)}, {"members", json::Array(uids.begin(), uids.end())}});
}
