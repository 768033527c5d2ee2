// A linkproof adapter: requests come on standard input, answers and events go to standard output, a line each.
#include <chrono>
#include <iostream>
#include <mutex>
#include <string>

using std::string;

const string NOT_INITIALIZED = R"({"code": 101})";  // what login() says as long as there is no SDK
// Declare what is true, and each capability once its calls are there: "channels", "messages", ...
const string HELLO = R"({"contract": 1, "name": "my-sdk", "version": "0", "language": "cpp",)"
                     R"( "heartbeat_s": 0.5, "retry_s": 1.0, "capabilities": []})";
std::mutex one_at_a_time;

string now_ns() {
  auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::to_string(std::chrono::duration_cast<std::chrono::nanoseconds>(now).count());
}

void say(const string& line) {
  std::lock_guard<std::mutex> lock(one_at_a_time);
  std::cout << line << std::endl;
}

// Report a callback; args is a JSON object. Take now_ns() first thing inside it.
void event(const string& name, const string& at_ns, const string& args) {
  say(R"({"event": ")" + name + R"(", "at_ns": )" + at_ns + R"(, "args": )" + args + "}");
}

// The first value of a field, as it stands in the line. Put your JSON library in its place: args have values of any kind.
string field(const string& line, const string& name) {
  size_t begin = line.find("\"" + name + "\":");
  if (begin == string::npos) return "";
  begin = line.find_first_not_of(" \"", begin + name.size() + 3);
  return line.substr(begin, line.find_first_of(",}\"", begin) - begin);
}

bool created = false;  // the SDK goes here: have it call event() in each of its callbacks

string result_of(const string& call, const string& line) {
  const string before = R"("result": )";
  if (call == "hello") return before + HELLO;
  if (call == "clock") return before + R"({"now_ns": )" + now_ns() + "}";
  if (call == "create" && !created) {
    created = true;  // make the SDK for field(line, "url") and field(line, "app_id"), without connecting
    return before + "{}";
  }
  bool is_known = call == "create" || call == "login" || call == "logout";
  if (is_known && (call == "create" || !created)) return R"("error": ")" + call + R"( out of order")";
  if (is_known) return before + NOT_INITIALIZED;  // return what the SDK returns; the other calls go beside these two
  return R"("error": "unsupported")";
}

int main() {
  for (string line; std::getline(std::cin, line);) {
    string result = result_of(field(line, "call"), line);
    say(R"({"id": )" + field(line, "id") + R"(, "at_ns": )" + now_ns() + ", " + result + "}");
  }
}
