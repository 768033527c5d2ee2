// What only the SDK's makers know: what adapters of two SDKs differ in stands in this file.
#pragma once

#include <IAgoraRtmService.h>

#include <cstdint>
#include <string>

#include "json.hpp"

namespace rtm = agora::rtm;

namespace profile {

constexpr const char* kName = "linkproof-example-cpp";
constexpr const char* kVersion = "0.1.0";

/// The longest time between two heartbeats of an idle client.
constexpr double kHeartbeatS = 0.5;
/// The longest time from a usable link to the start of the attempt that will use it.
constexpr double kRetryS = 1.0;
/// Whether an exception may pass from a callback into the SDK. False for a library that was built without exceptions:
/// it could not let one through, and 'react' with an empty call is then answered 'unsupported'.
constexpr bool kExceptionsPass = true;

/// Of the contract's capabilities those that the SDK has.
inline json::Array capabilities() {
  return {"channels", "attributes", "presence", "messages", "token-renewal", "reactions"};
}

/// Where the server is: the arguments of 'create'.
struct Server {
  std::string url;
  std::string host;
  std::int64_t port;
  bool tls;
  std::string ca_file;
};

/// Has a service speak to this server and to no other. Returns the SDK's code, 0 where it agrees.
///
/// The published interface has setParameters() for it, with a JSON text whose keys are the vendor's own.
inline int point_at(rtm::IRtmService& service, const Server& server) {
  const json::Object parameters = {{"url", server.url},
                                   {"host", server.host},
                                   {"port", server.port},
                                   {"tls", server.tls},
                                   {"ca_file", server.ca_file}};
  return service.setParameters(json::write(parameters).c_str());
}

}  // namespace profile
