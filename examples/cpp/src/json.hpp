// JSON, as much of it as lines of the contract need: values, a parser, a writer.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <locale>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace json {

/// A text that is not JSON; says what was expected, and at which byte.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

class Value;
using Array = std::vector<Value>;
using Object = std::map<std::string, Value>;

/// A number as it stands in the text: an id of any length comes back as it came, and nanoseconds lose no digit.
struct Number {
  std::string text;
};

class Value {
 public:
  Value() : held_(nullptr) {}
  Value(bool value) : held_(value) {}
  Value(int value) : held_(Number{std::to_string(value)}) {}
  Value(std::int64_t value) : held_(Number{std::to_string(value)}) {}
  Value(double value) : held_(Number{written(value)}) {}
  Value(Number value) : held_(std::move(value)) {}
  Value(const char* value) : held_(std::string(value)) {}
  Value(std::string value) : held_(std::move(value)) {}
  Value(Array value) : held_(std::move(value)) {}
  Value(Object value) : held_(std::move(value)) {}

  /// The value as a bool, Number, std::string, Array or Object; null where it is of another type.
  template <typename Type>
  const Type* as() const {
    return std::get_if<Type>(&held_);
  }

  const auto& held() const { return held_; }

 private:
  static std::string written(double value) {
    std::ostringstream text;
    text.imbue(std::locale::classic());  // a point, whatever the machine's language
    text << value;
    return text.str();
  }

  std::variant<std::nullptr_t, bool, Number, std::string, Array, Object> held_;
};

/// Reads one value, which is the whole of the text.
class Parser {
 public:
  static Value parse(std::string_view text) {
    Parser parser(text);
    Value value = parser.value(0);
    parser.skip_space();
    if (parser.at_ != text.size()) parser.fail("nothing more");
    return value;
  }

 private:
  static constexpr int kDepthMax = 100;  // each level is a call; a line of brackets would use up the stack

  explicit Parser(std::string_view text) : text_(text) {}

  [[noreturn]] void fail(const std::string& expected) const {
    throw Error("expected " + expected + " at byte " + std::to_string(at_));
  }

  char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  void skip_space() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  bool took(std::string_view wanted) {
    if (text_.substr(at_, wanted.size()) != wanted) return false;
    at_ += wanted.size();
    return true;
  }

  void take(std::string_view wanted) {
    if (!took(wanted)) fail("'" + std::string(wanted) + "'");
  }

  Value value(int depth) {
    if (depth > kDepthMax) fail("no more than " + std::to_string(kDepthMax) + " levels");
    skip_space();
    if (peek() == '{') return object(depth);
    if (peek() == '[') return array(depth);
    if (peek() == '"') return string();
    if (took("true")) return true;
    if (took("false")) return false;
    if (took("null")) return Value();
    return number();
  }

  Value object(int depth) {
    Object members;
    take("{");
    skip_space();
    if (took("}")) return members;
    do {
      skip_space();
      std::string name = string();
      skip_space();
      take(":");
      members.insert_or_assign(std::move(name), value(depth + 1));
      skip_space();
    } while (took(","));
    take("}");
    return members;
  }

  Value array(int depth) {
    Array items;
    take("[");
    skip_space();
    if (took("]")) return items;
    do {
      items.push_back(value(depth + 1));
      skip_space();
    } while (took(","));
    take("]");
    return items;
  }

  void digits() {
    const std::size_t begin = at_;
    at_ = std::min(text_.find_first_not_of("0123456789", at_), text_.size());
    if (at_ == begin) fail("a value");
  }

  Value number() {
    const std::size_t begin = at_;
    took("-");
    if (!took("0")) digits();
    if (took(".")) digits();
    if (took("e") || took("E")) {
      if (!took("+")) took("-");
      digits();
    }
    return Number{std::string(text_.substr(begin, at_ - begin))};
  }

  std::string string() {
    std::string result;
    take("\"");
    while (!took("\"")) {
      if (at_ == text_.size() || static_cast<unsigned char>(peek()) < 0x20) fail("the end of a string");
      const char next = text_[at_++];
      if (next == '\\') {
        escape(result);
      } else {
        result += next;
      }
    }
    return result;
  }

  void escape(std::string& result) {
    static const std::map<char, char> kShort = {{'"', '"'},  {'\\', '\\'}, {'/', '/'},  {'b', '\b'},
                                                {'f', '\f'}, {'n', '\n'},  {'r', '\r'}, {'t', '\t'}};
    if (took("u")) return utf8(code_point(), result);
    const auto meant = kShort.find(peek());
    if (meant == kShort.end()) fail("an escape");
    ++at_;
    result += meant->second;
  }

  std::uint32_t code_point() {
    const std::uint32_t first = hex4();
    if (first < 0xD800 || first > 0xDFFF) return first;
    // Beyond 16 bits a character is two escapes.
    const std::uint32_t second = took("\\u") ? hex4() : 0;
    if (first > 0xDBFF || second < 0xDC00 || second > 0xDFFF) fail("a pair of surrogates");
    return 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
  }

  std::uint32_t hex4() {
    std::uint32_t result = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      const std::size_t digit = std::string_view("0123456789abcdef").find(static_cast<char>(peek() | 0x20));
      if (digit == std::string_view::npos) fail("four hexadecimal digits");
      result = result * 16 + static_cast<std::uint32_t>(digit);
    }
    return result;
  }

  static void utf8(std::uint32_t point, std::string& result) {
    const auto byte = [&](std::uint32_t mark, int shift, std::uint32_t mask) {
      result += static_cast<char>(mark | ((point >> shift) & mask));
    };
    if (point < 0x80) return byte(0, 0, 0x7F);
    if (point < 0x800) {
      byte(0xC0, 6, 0x1F);
    } else {
      if (point < 0x10000) {
        byte(0xE0, 12, 0x0F);
      } else {
        byte(0xF0, 18, 0x07);
        byte(0x80, 12, 0x3F);
      }
      byte(0x80, 6, 0x3F);
    }
    byte(0x80, 0, 0x3F);
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

/// Writes a value in one line.
class Writer {
 public:
  static std::string write(const Value& value) {
    Writer writer;
    writer.put(value);
    return std::move(writer.text_);
  }

 private:
  void put(const Value& value) {
    std::visit([this](const auto& held) { put_held(held); }, value.held());
  }

  void put_held(std::nullptr_t) { text_ += "null"; }
  void put_held(bool value) { text_ += value ? "true" : "false"; }
  void put_held(const Number& number) { text_ += number.text; }

  void put_held(const Array& items) {
    const char* before = "[";
    for (const Value& item : items) {
      text_ += std::exchange(before, ", ");
      put(item);
    }
    text_ += items.empty() ? "[]" : "]";
  }

  void put_held(const Object& members) {
    const char* before = "{";
    for (const auto& [name, value] : members) {
      text_ += std::exchange(before, ", ");
      put_held(name);
      text_ += ": ";
      put(value);
    }
    text_ += members.empty() ? "{}" : "}";
  }

  void put_held(const std::string& value) {
    text_ += '"';
    for (const char each : value) {
      if (static_cast<unsigned char>(each) < 0x20) {
        const char* hex = "0123456789abcdef";
        text_ += std::string("\\u00") + hex[each >> 4] + hex[each & 15];
      } else {
        if (each == '"' || each == '\\') text_ += '\\';
        text_ += each;
      }
    }
    text_ += '"';
  }

  std::string text_;
};

/// Returns the value that a text is.
/// Throws Error where it is none.
inline Value parse(std::string_view text) { return Parser::parse(text); }

/// Returns a value as text, without a line's end.
inline std::string write(const Value& value) { return Writer::write(value); }

}  // namespace json
