#include "service.hpp"

#include <cstdio>
#include <set>
#include <vector>

extern "C" agora::rtm::IRtmService* agora::rtm::createRtmService() { return new fake::Service(); }

namespace fake {

namespace {

std::atomic<long long> last_message_id{0};

void log(const std::string& text) {
  std::printf("fake SDK, %s: %s\n", thread_name.c_str(), text.c_str());
  std::fflush(stdout);
}

}  // namespace

Message::Message(std::string text) : id_(++last_message_id), text_(std::move(text)) {}

// ------------------------------------------------------------------------------------------------------------ service

Service::~Service() = default;

int Service::initialize(const char* app_id, rtm::IRtmServiceEventHandler* handler) {
  if (*app_id == '\0') return rtm::INIT_ERR_INVALID_APP_ID;
  if (handler == nullptr) return rtm::INIT_ERR_INVALID_ARGUMENT;
  if (handler_ != nullptr) return rtm::INIT_ERR_ALREADY_INITIALIZED;
  handler_ = handler;
  return rtm::INIT_ERR_OK;
}

void Service::release(bool /*sync*/) { delete this; }

int Service::setParameters(const char* parameters) {
  log(std::string("parameters ") + parameters);
  return 0;
}

void Service::switch_to(rtm::CONNECTION_STATE state, rtm::CONNECTION_CHANGE_REASON reason) {
  handler_->onConnectionStateChanged(state, reason);
}

std::string Service::uid() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return state_ == rtm::CONNECTION_STATE_CONNECTED ? uid_ : "";
}

int Service::login(const char* token, const char* uid) {
  log("login()");
  if (*token == '\0' || *uid == '\0') return rtm::LOGIN_ERR_INVALID_ARGUMENT;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != rtm::CONNECTION_STATE_DISCONNECTED) return rtm::LOGIN_ERR_ALREADY_LOGGED_IN;
    state_ = rtm::CONNECTION_STATE_CONNECTING;
    uid_ = uid;
  }
  const bool is_refused = std::string(token) == "refused";
  const auto connecting = [this] { switch_to(rtm::CONNECTION_STATE_CONNECTING, rtm::CONNECTION_CHANGE_REASON_LOGIN); };
  const auto answer = [this, is_refused, name = std::string(uid)] {
    if (!is_refused) server_.log_in(name, *this);
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      state_ = is_refused ? rtm::CONNECTION_STATE_DISCONNECTED : rtm::CONNECTION_STATE_CONNECTED;
    }
    log(name + (is_refused ? " was refused" : " is logged in"));
    is_refused ? handler_->onLoginFailure(rtm::LOGIN_ERR_INVALID_TOKEN) : handler_->onLoginSuccess();
  };
  const auto switched = [this, is_refused] {
    is_refused ? switch_to(rtm::CONNECTION_STATE_DISCONNECTED, rtm::CONNECTION_CHANGE_REASON_LOGIN_FAILURE)
               : switch_to(rtm::CONNECTION_STATE_CONNECTED, rtm::CONNECTION_CHANGE_REASON_LOGIN_SUCCESS);
  };
  service_thread_.post_all({connecting, answer, switched});
  if (std::string(token) == "expiring") service_thread_.post([this] { handler_->onTokenExpired(); });
  return rtm::LOGIN_ERR_OK;
}

int Service::logout() {
  log("logout()");
  std::string name;
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (state_ != rtm::CONNECTION_STATE_CONNECTED) return rtm::LOGOUT_ERR_USER_NOT_LOGGED_IN;
    state_ = rtm::CONNECTION_STATE_DISCONNECTED;
    name = uid_;
  }
  server_.log_out(name);
  service_thread_.post_all({
      [this] { handler_->onLogout(rtm::LOGOUT_ERR_OK); },
      [this] { switch_to(rtm::CONNECTION_STATE_DISCONNECTED, rtm::CONNECTION_CHANGE_REASON_LOGOUT); },
  });
  return rtm::LOGOUT_ERR_OK;
}

int Service::renewToken(const char* token) {
  if (uid().empty()) return rtm::RENEW_TOKEN_ERR_USER_NOT_LOGGED_IN;
  service_thread_.post([this, token = std::string(token)] {
    const bool is_refused = token == "refused";
    handler_->onRenewTokenResult(token.c_str(),
                                 is_refused ? rtm::RENEW_TOKEN_ERR_INVALID_TOKEN : rtm::RENEW_TOKEN_ERR_OK);
  });
  return rtm::RENEW_TOKEN_ERR_OK;
}

rtm::IMessage* Service::createMessage() { return new Message(); }

int Service::sendMessageToPeer(const char* peer, const rtm::IMessage* message) {
  const std::string from = uid();
  if (from.empty()) return rtm::PEER_MESSAGE_ERR_USER_NOT_LOGGED_IN;
  const bool arrived = server_.send_to_peer(peer, from, message->getText());
  service_thread_.post([this, arrived, id = message->getMessageId()] {
    handler_->onSendMessageResult(id, arrived ? rtm::PEER_MESSAGE_ERR_OK : rtm::PEER_MESSAGE_ERR_PEER_UNREACHABLE);
  });
  return rtm::PEER_MESSAGE_ERR_OK;
}

int Service::queryPeersOnlineStatus(const char* peers[], int count, long long& id) {
  if (uid().empty()) return rtm::QUERY_PEERS_ONLINE_STATUS_ERR_USER_NOT_LOGGED_IN;
  std::vector<rtm::PeerOnlineStatus> found;
  for (int i = 0; i < count; ++i) found.push_back({peers[i], server_.is_online(peers[i])});
  const long long this_id = ++last_id_;
  handler_->onQueryPeersOnlineStatusResult(this_id, found.data(), count, rtm::QUERY_PEERS_ONLINE_STATUS_ERR_OK);
  id = this_id;
  return rtm::QUERY_PEERS_ONLINE_STATUS_ERR_OK;
}

int Service::setLocalUserAttributes(const rtm::RtmAttribute* attributes, int count, long long& id) {
  const std::string name = uid();
  if (name.empty()) return rtm::ATTRIBUTE_OPERATION_ERR_USER_NOT_LOGGED_IN;
  server_.attributes(name, [=](Attributes& all) {
    all.clear();
    for (int i = 0; i < count; ++i) all[attributes[i].key] = attributes[i].value;
  });
  id = ++last_id_;
  service_thread_.post([this, done = id] {
    handler_->onSetLocalUserAttributesResult(done, rtm::ATTRIBUTE_OPERATION_ERR_OK);
  });
  return rtm::ATTRIBUTE_OPERATION_ERR_OK;
}

int Service::addOrUpdateLocalUserAttributes(const rtm::RtmAttribute* attributes, int count, long long& id) {
  const std::string name = uid();
  if (name.empty()) return rtm::ATTRIBUTE_OPERATION_ERR_USER_NOT_LOGGED_IN;
  server_.attributes(name, [=](Attributes& all) {
    for (int i = 0; i < count; ++i) all[attributes[i].key] = attributes[i].value;
  });
  id = ++last_id_;
  service_thread_.post([this, done = id] {
    handler_->onAddOrUpdateLocalUserAttributesResult(done, rtm::ATTRIBUTE_OPERATION_ERR_OK);
  });
  return rtm::ATTRIBUTE_OPERATION_ERR_OK;
}

int Service::deleteLocalUserAttributesByKeys(const char* keys[], int count, long long& id) {
  const std::string name = uid();
  if (name.empty()) return rtm::ATTRIBUTE_OPERATION_ERR_USER_NOT_LOGGED_IN;
  server_.attributes(name, [=](Attributes& all) {
    for (int i = 0; i < count; ++i) all.erase(keys[i]);
  });
  id = ++last_id_;
  service_thread_.post([this, done = id] {
    handler_->onDeleteLocalUserAttributesResult(done, rtm::ATTRIBUTE_OPERATION_ERR_OK);
  });
  return rtm::ATTRIBUTE_OPERATION_ERR_OK;
}

int Service::getUserAttributes(const char* uid, long long& id) {
  if (this->uid().empty()) return rtm::ATTRIBUTE_OPERATION_ERR_USER_NOT_LOGGED_IN;
  id = ++last_id_;
  service_thread_.post([this, name = std::string(uid), done = id] {
    const bool is_there = server_.is_online(name);
    const Attributes all = is_there ? server_.attributes(name, [](Attributes&) {}) : Attributes();
    std::vector<rtm::RtmAttribute> found;
    for (const auto& [key, value] : all) found.push_back({key.c_str(), value.c_str()});
    handler_->onGetUserAttributesResult(
        done, name.c_str(), found.data(), static_cast<int>(found.size()),
        is_there ? rtm::ATTRIBUTE_OPERATION_ERR_OK : rtm::ATTRIBUTE_OPERATION_ERR_USER_NOT_FOUND);
  });
  return rtm::ATTRIBUTE_OPERATION_ERR_OK;
}

// ------------------------------------------------------------------------------------ what the server has for its user

void Service::on_peer_message(const std::string& peer, const std::string& text) {
  service_thread_.post([=] {
    const Message message(text);
    handler_->onMessageReceivedFromPeer(peer.c_str(), &message);
  });
}

void Service::on_channel_message(const std::string& channel, const std::string& member, const std::string& text) {
  channel_thread_.post([=] {
    const Message message(text);
    this->channel(channel)->handler().onMessageReceived(member.c_str(), &message);
  });
}

void Service::on_joined(const std::string& channel, const std::string& member) {
  channel_thread_.post([=] {
    Member joined(member, channel);
    this->channel(channel)->handler().onMemberJoined(&joined);
  });
}

void Service::on_left(const std::string& channel, const std::string& member) {
  channel_thread_.post([=] {
    Member left(member, channel);
    this->channel(channel)->handler().onMemberLeft(&left);
  });
}

// ----------------------------------------------------------------------------------------------------------- channels

rtm::IChannel* Service::createChannel(const char* channel, rtm::IChannelEventHandler* handler) {
  if (*channel == '\0' || handler == nullptr) return nullptr;
  const std::lock_guard<std::mutex> lock(mutex_);
  auto& place = channels_[channel];
  if (place != nullptr) return nullptr;
  place = std::make_shared<Channel>(*this, channel, *handler);
  return place.get();
}

std::shared_ptr<Channel> Service::channel(const std::string& name) {
  const std::lock_guard<std::mutex> lock(mutex_);
  return channels_.at(name);
}

int Channel::join() {
  const std::string uid = service_.uid();
  if (uid.empty()) return rtm::JOIN_CHANNEL_ERR_USER_NOT_LOGGED_IN;
  service_.post_to_channels([this, uid] {
    service_.server().join(name_, uid) ? handler_.onJoinSuccess()
                                       : handler_.onJoinFailure(rtm::JOIN_CHANNEL_ERR_ALREADY_JOINED);
  });
  return rtm::JOIN_CHANNEL_ERR_OK;
}

int Channel::leave() {
  const std::string uid = service_.uid();
  if (uid.empty()) return rtm::LEAVE_CHANNEL_ERR_USER_NOT_LOGGED_IN;
  service_.post_to_channels([this, uid] {
    const bool was_in = service_.server().leave(name_, uid);
    handler_.onLeave(was_in ? rtm::LEAVE_CHANNEL_ERR_OK : rtm::LEAVE_CHANNEL_ERR_NOT_IN_CHANNEL);
  });
  return rtm::LEAVE_CHANNEL_ERR_OK;
}

int Channel::sendMessage(const rtm::IMessage* message) {
  const std::string uid = service_.uid();
  if (uid.empty()) return rtm::CHANNEL_MESSAGE_ERR_USER_NOT_LOGGED_IN;
  const bool arrived = service_.server().send_to_channel(name_, uid, message->getText());
  service_.post_to_channels([this, arrived, id = message->getMessageId()] {
    handler_.onSendMessageResult(id, arrived ? rtm::CHANNEL_MESSAGE_ERR_OK : rtm::CHANNEL_MESSAGE_ERR_FAILURE);
  });
  return rtm::CHANNEL_MESSAGE_ERR_OK;
}

int Channel::getMembers() {
  const std::string uid = service_.uid();
  if (uid.empty()) return rtm::GET_MEMBERS_ERR_USER_NOT_LOGGED_IN;
  service_.post_to_channels([this, uid] {
    const std::set<std::string> uids = service_.server().members(name_);
    const bool is_in = uids.count(uid) > 0;
    std::vector<Member> members;
    std::vector<rtm::IChannelMember*> pointers;
    // From the last to the first: the interface promises no order.
    for (auto each = uids.rbegin(); is_in && each != uids.rend(); ++each) members.emplace_back(*each, name_);
    for (Member& member : members) pointers.push_back(&member);
    handler_.onGetMembers(pointers.data(), static_cast<int>(pointers.size()),
                          is_in ? rtm::GET_MEMBERS_ERR_OK : rtm::GET_MEMBERS_ERR_NOT_IN_CHANNEL);
  });
  return rtm::GET_MEMBERS_ERR_OK;
}

}  // namespace fake
