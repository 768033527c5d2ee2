// The SDK's callbacks: each is reported, and answered by what the app was asked to do in it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>

#include "outcomes.hpp"
#include "output.hpp"
#include "profile.hpp"

/// What a callback raises when it is asked to; it goes through to the SDK.
class AskedForError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// What the callbacks of service and channels have in common. May be used on any thread.
class Callbacks {
 public:
  explicit Callbacks(Output& output) : output_(output) {}

  /// Whether the contract has a callback of this name.
  static bool has(const std::string& name);

  /// Have this done inside the next callback of a name, once.
  void react(const std::string& name, std::function<void()> reaction);

  /// Report a callback, then do inside it what was asked for. Raises what that raises.
  void came(const std::string& name, std::int64_t at_ns, json::Object args);

 private:
  Output& output_;
  std::mutex mutex_;
  std::map<std::string, std::deque<std::function<void()>>> reactions_;
};

/// What the service calls back. Results of calls become outcomes, all else becomes events.
class ServiceHandler : public rtm::IRtmServiceEventHandler {
 public:
  ServiceHandler(Callbacks& callbacks, Outcomes& outcomes) : callbacks_(callbacks), outcomes_(outcomes) {}

  void onLoginSuccess() override;
  void onLoginFailure(rtm::LOGIN_ERR_CODE code) override;
  void onLogout(rtm::LOGOUT_ERR_CODE code) override;
  void onConnectionStateChanged(rtm::CONNECTION_STATE state, rtm::CONNECTION_CHANGE_REASON reason) override;
  void onTokenExpired() override;
  void onRenewTokenResult(const char* token, rtm::RENEW_TOKEN_ERR_CODE code) override;
  void onMessageReceivedFromPeer(const char* peer, const rtm::IMessage* message) override;

  void onSendMessageResult(long long id, rtm::PEER_MESSAGE_ERR_CODE code) override;
  void onQueryPeersOnlineStatusResult(long long id, const rtm::PeerOnlineStatus* peers, int count,
                                      rtm::QUERY_PEERS_ONLINE_STATUS_ERR code) override;
  void onSetLocalUserAttributesResult(long long id, rtm::ATTRIBUTE_OPERATION_ERR code) override;
  void onAddOrUpdateLocalUserAttributesResult(long long id, rtm::ATTRIBUTE_OPERATION_ERR code) override;
  void onDeleteLocalUserAttributesResult(long long id, rtm::ATTRIBUTE_OPERATION_ERR code) override;
  void onGetUserAttributesResult(long long id, const char* uid, const rtm::RtmAttribute* attributes, int count,
                                 rtm::ATTRIBUTE_OPERATION_ERR code) override;

 private:
  Callbacks& callbacks_;
  Outcomes& outcomes_;
};

/// What one channel calls back.
class ChannelHandler : public rtm::IChannelEventHandler {
 public:
  ChannelHandler(std::string channel, Callbacks& callbacks, Outcomes& outcomes)
      : channel_(std::move(channel)), callbacks_(callbacks), outcomes_(outcomes) {}

  void onJoinSuccess() override;
  void onJoinFailure(rtm::JOIN_CHANNEL_ERR code) override;
  void onLeave(rtm::LEAVE_CHANNEL_ERR code) override;
  void onMemberJoined(rtm::IChannelMember* member) override;
  void onMemberLeft(rtm::IChannelMember* member) override;
  void onMessageReceived(const char* member, const rtm::IMessage* message) override;

  void onSendMessageResult(long long id, rtm::CHANNEL_MESSAGE_ERR_CODE code) override;
  void onGetMembers(rtm::IChannelMember** members, int count, rtm::GET_MEMBERS_ERR code) override;

 private:
  const std::string channel_;
  Callbacks& callbacks_;
  Outcomes& outcomes_;
};
