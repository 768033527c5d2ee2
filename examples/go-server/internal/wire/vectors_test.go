package wire

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"testing"
)

// vector is one of docs/vectors/frames.json: a text, and the frame that it is, or the code that it closes with.
type vector struct {
	From          string         `json:"from"`
	Text          string         `json:"text"`
	PaddedToBytes int            `json:"padded_to_bytes"`
	Frame         map[string]any `json:"frame"`
	Closes        int            `json:"closes"`
	Why           string         `json:"why"`
}

func vectorsOf(t *testing.T, sender string) []vector {
	t.Helper()
	text, err := os.ReadFile("../../../../docs/vectors/frames.json")
	if err != nil {
		t.Fatal(err)
	}
	var all, chosen []vector
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	for _, each := range all {
		if each.From == sender {
			chosen = append(chosen, each)
		}
	}
	if len(chosen) == 0 {
		t.Fatalf("there is no vector of the %s", sender)
	}
	return chosen
}

// asMap returns a frame as its fields would be written.
func asMap(frame ClientFrame) map[string]any {
	names := map[string]string{
		"AppID": "app_id", "UID": "uid", "Token": "token", "Instance": "instance", "Attempt": "attempt",
		"Resume": "resume", "N": "n", "ID": "id", "Channel": "channel", "Peer": "peer", "Text": "text",
		"Attributes": "attributes", "Keys": "keys", "UIDs": "uids",
	}
	kinds := map[string]string{
		"Login": "login", "Ping": "ping", "Logout": "logout", "RenewToken": "renew_token", "Join": "join",
		"Leave": "leave", "SendToPeer": "send_to_peer", "SendToChannel": "send_to_channel",
		"GetMembers": "get_members", "SetAttributes": "set_attributes", "AddAttributes": "add_attributes",
		"DeleteAttributes": "delete_attributes", "GetAttributes": "get_attributes", "QueryOnline": "query_online",
	}
	value := reflect.ValueOf(frame)
	fields := map[string]any{"type": kinds[value.Type().Name()]}
	for i := range value.NumField() {
		name, field := names[value.Type().Field(i).Name], value.Field(i).Interface()
		if id, is := field.(ID); is {
			field = id.ID
		}
		if name != "resume" || field != "" {
			fields[name] = field
		}
	}
	return fields
}

func TestEachFrameOfAClientIsReadAsTheVectorsSay(t *testing.T) {
	for _, each := range vectorsOf(t, "client") {
		message := []byte(each.Text)
		if missing := each.PaddedToBytes - len(message); missing > 0 {
			message = append(message, bytes.Repeat([]byte(" "), missing)...)
		}
		frame, err := Decode(message)
		if each.Closes == 1009 {
			continue // what is too long does not come so far
		}
		if each.Frame == nil {
			if err == nil {
				t.Errorf("%s: taken for %+v: %.80s", each.Why, frame, each.Text)
			}
			continue
		}
		if err != nil {
			t.Errorf("refused: %v: %.80s", err, each.Text)
			continue
		}
		written, err := json.Marshal(asMap(frame))
		if err != nil {
			t.Fatal(err)
		}
		var read map[string]any
		if err := json.Unmarshal(written, &read); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(read, each.Frame) {
			t.Errorf("read as %v and not as %v", read, each.Frame)
		}
	}
}

// TestEachFrameOfTheServerIsWrittenAsTheVectorsSay reads each vector into the frame of its type and writes it again.
func TestEachFrameOfTheServerIsWrittenAsTheVectorsSay(t *testing.T) {
	frames := map[string]ServerFrame{}
	for _, frame := range []ServerFrame{
		LoggedIn{}, Refused{}, Pong{}, Ended{}, Done{}, Failed{}, Members{}, Attributes{}, Online{},
		MemberJoined{}, MemberLeft{}, PeerMessage{}, ChannelMessage{},
	} {
		frames[frame.kind()] = frame
	}
	seen := map[string]bool{}
	for _, each := range vectorsOf(t, "server") {
		if each.Frame == nil {
			continue
		}
		kind, _ := each.Frame["type"].(string)
		frame := reflect.New(reflect.TypeOf(frames[kind]))
		told, err := json.Marshal(each.Frame)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(told, frame.Interface()); err != nil {
			t.Fatal(err)
		}
		var written map[string]any
		if err := json.Unmarshal(Encode(frame.Elem().Interface().(ServerFrame)), &written); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(written, each.Frame) {
			t.Errorf("written as %v and not as %v", written, each.Frame)
		}
		seen[kind] = true
	}
	if len(seen) != len(frames) {
		t.Errorf("of %d types only %d are in the vectors", len(frames), len(seen))
	}
}

func TestWhatIsNoFrame(t *testing.T) {
	for why, text := range map[string]string{
		"bytes that are no UTF-8":                 "{\"type\": \"join\", \"id\": 1, \"channel\": \"\xff\"}",
		"a low surrogate alone":                   `{"type": "join", "id": 1, "channel": "\udc00"}`,
		"a high surrogate before something else":  `{"type": "join", "id": 1, "channel": "\ud800\u0041"}`,
		"a high surrogate at the end of the text": `{"type": "join", "id": 1, "channel": "\ud8`,
		"a null in the place of a list":           `{"type": "query_online", "id": 1, "uids": null}`,
		"a null in the place of the object":       `null`,
		"a field in another case":                 `{"TYPE": "ping", "n": 1}`,
		"a name in a list that is empty":          `{"type": "query_online", "id": 1, "uids": [""]}`,
		"a number that no machine holds":          `{"type": "ping", "n": 99999999999999999999}`,
	} {
		if frame, err := Decode([]byte(text)); err == nil {
			t.Errorf("%s: taken for %+v", why, frame)
		}
	}
}

func TestAPairOfSurrogatesAndAnEscapedBackslashAreText(t *testing.T) {
	for text, wanted := range map[string]string{
		`\ud83d\ude00`: "😀", `\\ud800`: `\ud800`, `\\\ud83d\ude00`: `\😀`, `a\nb`: "a\nb",
	} {
		frame, err := Decode([]byte(`{"type": "send_to_peer", "id": 1, "peer": "bob", "text": "` + text + `"}`))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := frame.(SendToPeer).Text; got != wanted {
			t.Errorf("%s was read as %q", text, got)
		}
	}
}

func TestEmptyListsAreWrittenAsSuch(t *testing.T) {
	if text := string(Encode(Members{ID: ID{1}, Members: []string{}})); text != `{"type":"members","id":1,"members":[]}` {
		t.Error(text)
	}
	if text := string(Encode(PeerMessage{Sender: "<a>", Text: "&"})); text != `{"type":"peer_message","sender":"<a>","text":"&"}` {
		t.Error(text)
	}
}
