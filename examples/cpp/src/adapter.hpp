// The contract's requests, carried out on one client of the SDK.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include "callbacks.hpp"
#include "json.hpp"
#include "outcomes.hpp"
#include "output.hpp"
#include "profile.hpp"

/// A request that cannot be carried out; its text is the 'error' of the answer.
class Refusal : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Carries out requests, all of them on one thread; the SDK calls back on others.
class Adapter {
 public:
  explicit Adapter(Output& output);

  /// Takes one line of input. What it asks for is answered now, or when the SDK has its outcome.
  /// Throws json::Error where it is not a request.
  void request(const std::string& line);

 private:
  /// One call of the SDK, its arguments in it: made when it is run, on whichever thread.
  using Call = std::function<void(const Reply&)>;
  using Args = json::Object;
  using Bind = Call (Adapter::*)(const Args&);

  struct Channel {
    std::unique_ptr<ChannelHandler> handler;
    rtm::IChannel* channel;
  };

  static const std::map<std::string, Bind>& calls();

  void carry_out(const std::string& call, const Args& args, const Reply& reply);
  json::Object hello() const;
  void create(const Args& args);
  void react(const Args& args);

  /// Returns a call of the contract's table, its arguments looked at. Throws Refusal.
  Call bind(const std::string& call, const Args& args);
  Call login(const Args& args);
  Call logout(const Args& args);
  Call renew_token(const Args& args);
  Call join(const Args& args);
  Call leave(const Args& args);
  Call send_to_peer(const Args& args);
  Call send_to_channel(const Args& args);
  Call get_members(const Args& args);
  Call set_attributes(const Args& args);
  Call add_attributes(const Args& args);
  Call delete_attributes(const Args& args);
  Call get_attributes(const Args& args);
  Call query_online(const Args& args);

  rtm::IChannel* channel(const std::string& name);
  void answer_later(int code, const OutcomeKey& key, const Reply& reply);

  Output& output_;
  Outcomes outcomes_;
  Callbacks callbacks_;
  ServiceHandler handler_;
  rtm::IRtmService* service_ = nullptr;
  std::map<std::string, Channel> channels_;  // of the thread that takes the requests alone
};
