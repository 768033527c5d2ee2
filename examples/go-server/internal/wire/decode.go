package wire

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"unicode/utf8"
)

// How long things may be: in characters, or so many of them.
const (
	nameMax       = 64
	secretMax     = 128
	tokenMax      = 4096
	textMax       = 32768
	valueMax      = 1024
	attributesMax = 32
	namesMax      = 256
)

var whole = regexp.MustCompile(`^-?[0-9]+$`)

var readers = map[string]func(*fields) ClientFrame{
	"login": func(f *fields) ClientFrame {
		return Login{
			AppID: f.name("app_id"), UID: f.name("uid"), Token: f.text("token", 0, tokenMax),
			Instance: f.text("instance", 1, secretMax), Attempt: f.count("attempt", 0), Resume: f.optionalSecret("resume"),
		}
	},
	"ping":        func(f *fields) ClientFrame { return Ping{N: f.count("n", 0)} },
	"logout":      func(*fields) ClientFrame { return Logout{} },
	"renew_token": func(f *fields) ClientFrame { return RenewToken{ID: f.id(), Token: f.text("token", 0, tokenMax)} },
	"join":        func(f *fields) ClientFrame { return Join{ID: f.id(), Channel: f.name("channel")} },
	"leave":       func(f *fields) ClientFrame { return Leave{ID: f.id(), Channel: f.name("channel")} },
	"send_to_peer": func(f *fields) ClientFrame {
		return SendToPeer{ID: f.id(), Peer: f.name("peer"), Text: f.text("text", 0, textMax)}
	},
	"send_to_channel": func(f *fields) ClientFrame {
		return SendToChannel{ID: f.id(), Channel: f.name("channel"), Text: f.text("text", 0, textMax)}
	},
	"get_members": func(f *fields) ClientFrame { return GetMembers{ID: f.id(), Channel: f.name("channel")} },
	"set_attributes": func(f *fields) ClientFrame {
		return SetAttributes{ID: f.id(), Attributes: f.attributes("attributes")}
	},
	"add_attributes": func(f *fields) ClientFrame {
		return AddAttributes{ID: f.id(), Attributes: f.attributes("attributes")}
	},
	"delete_attributes": func(f *fields) ClientFrame { return DeleteAttributes{ID: f.id(), Keys: f.names("keys")} },
	"get_attributes":    func(f *fields) ClientFrame { return GetAttributes{ID: f.id(), UID: f.name("uid")} },
	"query_online":      func(f *fields) ClientFrame { return QueryOnline{ID: f.id(), UIDs: f.names("uids")} },
}

// Decode returns the frame in a message of a client, or what is wrong with it.
func Decode(message []byte) (ClientFrame, error) {
	if !utf8.Valid(message) {
		return nil, errors.New("not UTF-8")
	}
	if hasLoneSurrogate(message) {
		return nil, errors.New("half of a surrogate pair")
	}
	// Into a map and not into a struct: encoding/json would take "TYPE" for "type" there, and nothing for a zero.
	f := &fields{}
	if err := json.Unmarshal(message, &f.raw); err != nil {
		return nil, err
	}
	kind := f.text("type", 1, nameMax)
	read, known := readers[kind]
	if f.err == nil && !known {
		f.err = fmt.Errorf("no frame of a client is of the type %q", kind)
	}
	if f.err != nil {
		return nil, f.err
	}
	frame := read(f)
	for key := range f.raw {
		f.fail(key, errors.New("unknown"))
	}
	return frame, f.err
}

// fields are those of a frame that were not taken yet, and the first thing that is wrong with them.
type fields struct {
	raw map[string]json.RawMessage
	err error
}

func (f *fields) fail(key string, err error) {
	if f.err == nil {
		f.err = fmt.Errorf("field %q: %w", key, err)
	}
}

func (f *fields) take(key string) (json.RawMessage, bool) {
	raw, there := f.raw[key]
	delete(f.raw, key)
	return raw, there
}

// read has a field read by one of the functions below.
func read[T any](f *fields, key string, as func(json.RawMessage) (T, error)) T {
	raw, there := f.take(key)
	if !there {
		f.fail(key, errors.New("missing"))
		return *new(T)
	}
	value, err := as(raw)
	if err != nil {
		f.fail(key, err)
	}
	return value
}

func (f *fields) text(key string, least, most int) string {
	return read(f, key, func(raw json.RawMessage) (string, error) { return readText(raw, least, most) })
}

func (f *fields) name(key string) string { return f.text(key, 1, nameMax) }

// optionalSecret returns nothing for one that is absent or null.
func (f *fields) optionalSecret(key string) string {
	if raw, there := f.raw[key]; !there || string(raw) == "null" {
		delete(f.raw, key)
		return ""
	}
	return f.text(key, 1, secretMax)
}

func (f *fields) id() ID { return ID{f.count("id", 1)} }

func (f *fields) count(key string, least int64) int64 {
	return read(f, key, func(raw json.RawMessage) (int64, error) {
		if !whole.Match(raw) {
			return 0, fmt.Errorf("%.40s is no whole number", raw)
		}
		number, err := strconv.ParseInt(string(raw), 10, 64)
		if err != nil || number < least || number > CountMax {
			return 0, fmt.Errorf("%.40s is not from %d to %d", raw, least, int64(CountMax))
		}
		return number, nil
	})
}

func (f *fields) names(key string) []string {
	return read(f, key, func(raw json.RawMessage) ([]string, error) {
		var items []json.RawMessage
		if err := unmarshal(raw, '[', &items); err != nil {
			return nil, err
		}
		if len(items) > namesMax {
			return nil, fmt.Errorf("%d names, and %d at most", len(items), namesMax)
		}
		names := make([]string, len(items))
		for i, item := range items {
			name, err := readText(item, 1, nameMax)
			if err != nil {
				return nil, err
			}
			names[i] = name
		}
		return names, nil
	})
}

func (f *fields) attributes(key string) map[string]string {
	return read(f, key, func(raw json.RawMessage) (map[string]string, error) {
		var items map[string]json.RawMessage
		if err := unmarshal(raw, '{', &items); err != nil {
			return nil, err
		}
		if len(items) > attributesMax {
			return nil, fmt.Errorf("%d attributes, and %d at most", len(items), attributesMax)
		}
		attributes := make(map[string]string, len(items))
		for name, item := range items {
			value, err := readText(item, 0, valueMax)
			if err == nil {
				err = checkLength(name, 1, nameMax)
			}
			if err != nil {
				return nil, err
			}
			attributes[name] = value
		}
		return attributes, nil
	})
}

func readText(raw json.RawMessage, least, most int) (string, error) {
	var text string
	if err := unmarshal(raw, '"', &text); err != nil {
		return "", err
	}
	return text, checkLength(text, least, most)
}

func checkLength(text string, least, most int) error {
	if length := utf8.RuneCountInString(text); length < least || length > most {
		return fmt.Errorf("%d characters, and not from %d to %d", length, least, most)
	}
	return nil
}

// unmarshal does so where the value begins as it must: null would be taken for the zero of any kind.
func unmarshal(raw json.RawMessage, begins byte, into any) error {
	if raw[0] != begins {
		return fmt.Errorf("%.40s begins with no %c", raw, begins)
	}
	return json.Unmarshal(raw, into)
}

// hasLoneSurrogate says whether an escape such as \ud800 stands alone, which encoding/json replaces silently.
func hasLoneSurrogate(text []byte) bool {
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			continue
		}
		switch first := escaped(text[i:]); {
		case first >= 0xDC00 && first <= 0xDFFF:
			return true
		case first >= 0xD800 && first <= 0xDBFF:
			if second := escaped(text[i+6:]); second < 0xDC00 || second > 0xDFFF {
				return true
			}
			i += 11
		default:
			i++ // whatever is escaped, a backslash too, begins no escape itself
		}
	}
	return false
}

// escaped returns the number in a \uXXXX that a text begins with, or -1.
func escaped(text []byte) int64 {
	if len(text) < 6 || text[0] != '\\' || text[1] != 'u' {
		return -1
	}
	number, err := strconv.ParseUint(string(text[2:6]), 16, 16)
	if err != nil {
		return -1
	}
	return int64(number)
}
