package hub

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

const (
	pong   = `{"type":"pong","n":1}`
	inAs1  = `{"type":"logged_in","session":"s1","resumed":false,"heartbeat_s":0.5}`
	backAs = `{"type":"logged_in","session":"s1","resumed":true,"heartbeat_s":0.5}`
)

func TestPresenceCountsFromTheLastFrameAndNotFromTheEndOfTheConnection(t *testing.T) {
	r := newRig(t)
	alice, bob := r.online("alice"), r.online("bob")
	for _, each := range []*client{alice, bob} {
		each.say(`{"type": "join", "id": 1, "channel": "lobby"}`)
	}
	alice.heard()
	bob.heard()
	r.clock.until(20 * time.Second)
	alice.say(`{"type": "ping", "n": 1}`)
	bob.say(`{"type": "ping", "n": 1}`)
	r.clock.until(25 * time.Second)
	r.Lost(alice.conn)
	r.clock.until(49 * time.Second)
	bob.say(`{"type": "ping", "n": 1}`)
	r.clock.until(50*time.Second - 1)
	bob.expect(pong, pong)
	r.clock.until(50 * time.Second)
	bob.expect(`{"type":"member_left","channel":"lobby","uid":"alice"}`)
}

func TestAConnectionThatIsSilentFor30SIsClosedWithItsSession(t *testing.T) {
	r := newRig(t)
	alice := r.online("alice")
	r.clock.until(presence)
	alice.expect("close 1008")
	back := r.connect()
	back.login("demo", "alice", "instance of alice", 2, "s1")
	back.expect(`{"type":"logged_in","session":"s2","resumed":false,"heartbeat_s":0.5}`)
}

func TestASessionThatRanOutIsSupersededWhenAnotherInstanceHasBeenInSince(t *testing.T) {
	r := newRig(t)
	alice := r.online("alice")
	r.Lost(alice.conn)
	r.clock.until(presence)
	other := r.connect()
	other.login("demo", "alice", "other", 1, "")
	other.say(`{"type": "logout"}`)
	back := r.connect()
	back.login("demo", "alice", "instance of alice", 2, "s1")
	back.expect(`{"type":"refused","code":"superseded","why":"`+supersededWhy+`"}`, "close 1008")
}

func TestARefusedLoginDoesNotSupersedeWhoRanOut(t *testing.T) {
	r := newRig(t)
	alice := r.online("alice")
	r.Lost(alice.conn)
	r.clock.until(presence)
	other := r.connect()
	other.say(`{"type": "login", "app_id": "demo", "uid": "alice", "token": "none", "instance": "other", "attempt": 1}`)
	other.expect(`{"type":"refused","code":"invalid_token"}`, "close 1008")
	back := r.connect()
	back.login("demo", "alice", "instance of alice", 2, "s1")
	back.expect(`{"type":"logged_in","session":"s2","resumed":false,"heartbeat_s":0.5}`)
}

func TestAResumptionIsNoNewsToAnybody(t *testing.T) {
	r := newRig(t)
	alice, bob := r.online("alice"), r.online("bob")
	alice.say(`{"type": "join", "id": 1, "channel": "lobby"}`)
	bob.say(`{"type": "join", "id": 1, "channel": "lobby"}`)
	alice.say(`{"type": "set_attributes", "id": 2, "attributes": {"mood": "good"}}`)
	alice.heard()
	bob.heard()
	back := r.connect()
	back.login("demo", "alice", "instance of alice", 2, "s1")
	back.expect(backAs)
	alice.expect("close 1000")
	r.Lost(alice.conn) // that is not the session's any more
	bob.expect()
	bob.say(`{"type": "send_to_peer", "id": 2, "peer": "alice", "text": "hello"}`)
	back.expect(`{"type":"peer_message","sender":"bob","text":"hello"}`)
	bob.say(`{"type": "get_attributes", "id": 3, "uid": "alice"}`)
	bob.expect(`{"type":"done","id":2}`, `{"type":"attributes","id":3,"attributes":{"mood":"good"}}`)
}

func TestWhatIsSentToAnInterruptedUserIsLostAndTheyAreOnline(t *testing.T) {
	r := newRig(t)
	alice, bob := r.online("alice"), r.online("bob")
	r.Lost(alice.conn)
	bob.say(`{"type": "send_to_peer", "id": 1, "peer": "alice", "text": "hello"}`)
	bob.say(`{"type": "query_online", "id": 2, "uids": ["alice", "carol", "alice"]}`)
	bob.expect(`{"type":"done","id":1}`, `{"type":"online","id":2,"online":{"alice":true,"carol":false}}`)
	back := r.connect()
	back.login("demo", "alice", "instance of alice", 2, "s1")
	back.expect(backAs)
}

func TestABanIsRememberedOfTheSessionAfterItWasLifted(t *testing.T) {
	r := newRig(t)
	alice := r.online("alice")
	r.Ban("demo", "alice")
	alice.expect(`{"type":"ended","reason":"banned"}`, "close 1000")
	again := r.connect()
	again.login("demo", "alice", "instance of alice", 2, "")
	again.expect(`{"type":"refused","code":"banned","why":"the system has banned this user"}`, "close 1008")
	r.Unban("demo", "alice")
	back := r.connect()
	back.login("demo", "alice", "instance of alice", 3, "s1")
	back.expect(`{"type":"refused","code":"banned","why":"the system has ended this session"}`, "close 1008")
	anew := r.connect()
	anew.login("demo", "alice", "instance of alice", 4, "")
	anew.expect(`{"type":"logged_in","session":"s2","resumed":false,"heartbeat_s":0.5}`)
	if count := r.Attempts("demo", "alice"); count != 4 {
		t.Errorf("%d logins were counted", count)
	}
}

func TestUsersOfTwoAppIDsNeverMeet(t *testing.T) {
	r := newRig(t)
	alice, bob := r.connect(), r.connect()
	alice.login("one", "alice", "a", 1, "")
	bob.login("two", "bob", "b", 1, "")
	bob.heard()
	bob.say(`{"type": "query_online", "id": 1, "uids": ["alice"]}`)
	bob.expect(`{"type":"online","id":1,"online":{"alice":false}}`)
	alice.expect(inAs1)
}

func TestAConfirmationIsDueIn6SAndALoginIn10S(t *testing.T) {
	r := newRig(t)
	alice, nobody := r.connect(), r.connect()
	alice.login("demo", "alice", "a", 1, "")
	r.clock.until(confirm - 1)
	alice.expect(inAs1)
	r.clock.until(confirm)
	alice.expect("close 1008")
	if r.sessionOf(user{"demo", "alice"}) != nil {
		t.Error("the session outlived it")
	}
	r.clock.until(hurry - 1)
	nobody.expect()
	r.clock.until(hurry)
	nobody.expect("close 1008")
}

func TestTheLimitsOfChannelsAndOfTheRate(t *testing.T) {
	r := newRig(t)
	alice := r.online("alice")
	for i := range channelsOfSession {
		alice.say(`{"type": "join", "id": 1, "channel": "c%d"}`, i)
		alice.expect(`{"type":"done","id":1}`)
	}
	alice.say(`{"type": "join", "id": 1, "channel": "one more"}`)
	alice.expect(`{"type":"failed","id":1,"code":"exceed_limit","why":"the user is in too many channels"}`)
	alice.say(`{"type": "join", "id": 1, "channel": "c0"}`)
	alice.expect(`{"type":"failed","id":1,"code":"already_joined"}`)
	for range requestsAtOnce {
		alice.say(`{"type": "get_members", "id": 2, "channel": "x"}`)
	}
	tooOften := strings.Count(strings.Join(alice.heard(), ""), "too_often")
	if used := channelsOfSession + 2; tooOften != used {
		t.Errorf("%d of %d requests were too many, expected %d", tooOften, requestsAtOnce, used)
	}
	alice.say(`{"type": "ping", "n": 1}`)
	alice.expect(pong)
	r.clock.until(time.Second / requestsPerS)
	alice.say(`{"type": "leave", "id": 3, "channel": "x"}`)
	alice.expect(`{"type":"failed","id":3,"code":"not_in_channel"}`)
}

func TestWhatDoesNotFitIntoAFrameIsNotSent(t *testing.T) {
	r := newRig(t)
	alice, bob := r.online("alice"), r.online("bob")
	// Three bytes each on the way in, and an escape of six on the way out.
	alice.say(`{"type": "send_to_peer", "id": 1, "peer": "bob", "text": "%s"}`, strings.Repeat("\u2028", 21000))
	alice.expect(`{"type":"failed","id":1,"code":"exceed_limit","why":"the message does not fit into a frame"}`)
	bob.expect()
	for half := range 2 {
		var items []string
		for i := range attributesOfUser / 2 {
			items = append(items, fmt.Sprintf(`"%d": "%s"`, half*100+i, strings.Repeat("😀", 1000)))
		}
		alice.say(`{"type": "add_attributes", "id": 2, "attributes": {%s}}`, strings.Join(items, ", "))
	}
	alice.expect(`{"type":"done","id":2}`, `{"type":"failed","id":2,"code":"exceed_limit","why":"too many attributes"}`)
}

func TestAStopClosesWhatIsThereAndWhatComes(t *testing.T) {
	r := newRig(t)
	alice := r.online("alice")
	r.Stop()
	alice.expect("close 1001")
	r.connect().expect("close 1001")
	if r.sessionOf(user{"demo", "alice"}) == nil {
		t.Error("a stop ended a session for good")
	}
}

func TestWhatIsOverIsForgottenInTheOrderInWhichItCame(t *testing.T) {
	m := newMemory[string, int](2)
	m.put("a", 1)
	m.put("b", 2)
	m.put("a", 3)
	m.put("c", 4)
	if _, there := m.get("b"); there {
		t.Error("b is still known")
	}
	if value, _ := m.get("a"); value != 3 {
		t.Errorf("a is %d", value)
	}
	m.forget("a")
	if _, there := m.get("a"); there || len(m.entries) != m.order.Len() {
		t.Error("a is still known")
	}
}
