package control

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// users remember what was done to them.
type users struct{ did []string }

func (u *users) Ban(appID, uid string)   { u.did = append(u.did, "ban "+appID+" "+uid) }
func (u *users) Unban(appID, uid string) { u.did = append(u.did, "unban "+appID+" "+uid) }
func (u *users) Attempts(_, uid string) int {
	return len(uid)
}

func converse(t *testing.T, lines ...string) (answers []map[string]any, did []string, err error) {
	t.Helper()
	var out strings.Builder
	on := &users{}
	now := int64(0)
	c := Control{NewHello("ws://127.0.0.1:1", 0.5), on, &Lateness{}, func() int64 { now++; return now }}
	c.Lateness.note(5, 9)
	err = c.Serve(strings.NewReader(strings.Join(lines, "\n")), &out)
	for _, line := range strings.Split(strings.TrimSpace(out.String()), "\n") {
		var told map[string]any
		if json.Unmarshal([]byte(line), &told) == nil {
			answers = append(answers, told)
		}
	}
	return answers, on.did, err
}

func TestEachCallIsAnsweredWithItsID(t *testing.T) {
	asked := []struct{ line, key, wanted string }{
		{`"call": "hello", "args": {}`, "result", `{"contract": 1, "name": "rtmserver", "version": "0.1.0",
			"language": "go", "url": "ws://127.0.0.1:1", "heartbeat_s": 0.5}`},
		{`"call": "clock", "args": {}`, "result", `{"now_ns": 2}`},
		{`"call": "ban", "args": {"app_id": "a", "uid": "bob"}`, "result", `{}`},
		{`"call": "unban", "args": {"app_id": "a", "uid": "bob"}`, "result", `{}`},
		{`"call": "connections", "args": {"app_id": "a", "uid": "bob"}`, "result", `{"attempts": 3}`},
		{`"call": "delays", "args": {"from_ns": 0, "to_ns": 7}`, "result", `{"late": [[5, 9]]}`},
		{`"call": "teleport", "args": {}`, "error", `"unsupported"`},
		{`"call": "ban", "args": {"uid": "bob"}`, "error", `"ban: app_id and uid are needed"`},
		{`"call": "stop", "args": {}`, "result", `{}`},
	}
	var lines []string
	for i, each := range asked {
		lines = append(lines, fmt.Sprintf(`{"id": %d, %s}`, i+1, each.line))
	}
	answers, did, err := converse(t, append(lines, "this comes after the end")...)
	if err != nil || len(answers) != len(asked) {
		t.Fatalf("%v: %v", err, answers)
	}
	for i, each := range asked {
		var wanted any
		if err := json.Unmarshal([]byte(each.wanted), &wanted); err != nil {
			t.Fatal(err)
		}
		if got := answers[i]; got["id"] != float64(i+1) || got["at_ns"] == nil || !reflect.DeepEqual(got[each.key], wanted) {
			t.Errorf("%s: %v", each.line, got)
		}
	}
	if !reflect.DeepEqual(did, []string{"ban a bob", "unban a bob"}) {
		t.Error(did)
	}
}

func TestTheEndOfItsInputIsTheEnd(t *testing.T) {
	if answers, _, err := converse(t); err != nil || len(answers) != 0 {
		t.Errorf("%v, %v", answers, err)
	}
}

func TestALineThatIsNoRequestIsAnError(t *testing.T) {
	if _, _, err := converse(t, "hello"); !errors.Is(err, ErrLine) {
		t.Error(err)
	}
}

func TestOfEachSlotTheWorstIsKept(t *testing.T) {
	late := &Lateness{}
	later := slot.Nanoseconds()
	for _, each := range [][2]int64{{1, 2}, {3, 9}, {5, 6}, {later, later + 1}, {3 * later, 3*later + 4}} {
		late.note(each[0], each[1])
	}
	if got := late.Between(5, later); !reflect.DeepEqual(got, [][2]int64{{3, 9}, {later, later + 1}}) {
		t.Error(got)
	}
	if got := late.Between(4*later, 5*later); len(got) != 0 || got == nil {
		t.Error(got)
	}
}
