// A small SDK behind the published interface, over a server in the same process. It is there to try the adapter with.
//
// It is as unpleasant as a real one may be. It prints to standard output, and says on which thread. It calls back on
// two threads, one for the service and one for the channels. queryPeersOnlineStatus() has called back before it returns
// the id of its result.
// It never loses its connection: what becomes of that is for real servers to show.
//
// Three tokens mean something: "refused" does not log in, "expiring" expires right after the login, "" is no token.
#pragma once

#include <IAgoraRtmService.h>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "server.hpp"
#include "worker.hpp"

namespace fake {

namespace rtm = agora::rtm;

class Channel;

/// The client. Each method may be called on any thread, also from inside each callback.
class Service : public rtm::IRtmService, public User {
 public:
  int initialize(const char* app_id, rtm::IRtmServiceEventHandler* handler) override;
  void release(bool sync) override;
  int login(const char* token, const char* uid) override;
  int logout() override;
  int renewToken(const char* token) override;
  int sendMessageToPeer(const char* peer, const rtm::IMessage* message) override;
  rtm::IChannel* createChannel(const char* channel, rtm::IChannelEventHandler* handler) override;
  rtm::IMessage* createMessage() override;
  int setParameters(const char* parameters) override;
  int queryPeersOnlineStatus(const char* peers[], int count, long long& id) override;
  int setLocalUserAttributes(const rtm::RtmAttribute* attributes, int count, long long& id) override;
  int addOrUpdateLocalUserAttributes(const rtm::RtmAttribute* attributes, int count, long long& id) override;
  int deleteLocalUserAttributesByKeys(const char* keys[], int count, long long& id) override;
  int getUserAttributes(const char* uid, long long& id) override;

  void on_peer_message(const std::string& peer, const std::string& text) override;
  void on_channel_message(const std::string& channel, const std::string& member, const std::string& text) override;
  void on_joined(const std::string& channel, const std::string& member) override;
  void on_left(const std::string& channel, const std::string& member) override;

  /// The user who is logged in; empty where nobody is.
  std::string uid();
  Server& server() { return server_; }
  /// Have something done on the thread that channels call back on.
  void post_to_channels(std::function<void()> task) { channel_thread_.post(std::move(task)); }

 private:
  ~Service() override;
  void switch_to(rtm::CONNECTION_STATE state, rtm::CONNECTION_CHANGE_REASON reason);
  std::shared_ptr<Channel> channel(const std::string& name);

  Server server_;
  Echo echo_{server_};
  rtm::IRtmServiceEventHandler* handler_ = nullptr;
  std::atomic<long long> last_id_{0};
  std::mutex mutex_;  // held for what is below, and never while calling back
  rtm::CONNECTION_STATE state_ = rtm::CONNECTION_STATE_DISCONNECTED;
  std::string uid_;
  std::map<std::string, std::shared_ptr<Channel>> channels_;
  Worker service_thread_{"service"};
  Worker channel_thread_{"channels"};
};

/// A text, with an id that no other one has.
class Message : public rtm::IMessage {
 public:
  explicit Message(std::string text = "");
  ~Message() override = default;
  long long getMessageId() const override { return id_; }
  void setText(const char* text) override { text_ = text; }
  const char* getText() const override { return text_.c_str(); }
  void release() override { delete this; }

 private:
  const long long id_;
  std::string text_;
};

class Member : public rtm::IChannelMember {
 public:
  Member(std::string uid, std::string channel) : uid_(std::move(uid)), channel_(std::move(channel)) {}
  ~Member() override = default;
  const char* getUserId() const override { return uid_.c_str(); }
  const char* getChannelId() const override { return channel_.c_str(); }
  void release() override {}  // lies on the stack of who calls back

 private:
  const std::string uid_, channel_;
};

/// A channel of a service, which owns it.
class Channel : public rtm::IChannel {
 public:
  Channel(Service& service, std::string name, rtm::IChannelEventHandler& handler)
      : service_(service), name_(std::move(name)), handler_(handler) {}
  ~Channel() override = default;
  int join() override;
  int leave() override;
  int sendMessage(const rtm::IMessage* message) override;
  const char* getId() const override { return name_.c_str(); }
  int getMembers() override;
  void release() override {}  // ends with its service
  rtm::IChannelEventHandler& handler() { return handler_; }

 private:
  Service& service_;
  const std::string name_;
  rtm::IChannelEventHandler& handler_;
};

}  // namespace fake
