package ws

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"example.com/linkproof/rtmserver/internal/hub"
	"example.com/linkproof/rtmserver/internal/token"
)

const login = `{"type": "login", "app_id": "demo", "uid": "alice", "token": "alice", "instance": "i", "attempt": 1}`

// named takes the uid for its token.
type named struct{}

func (named) Verify(text string, _ time.Time) (token.Claims, error) {
	return token.Claims{AppID: "demo", UID: text}, nil
}

func serve(t *testing.T) (*Server, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	name := func() string { return "session" }
	server := Serve(listener, hub.New(hub.Config{Clock: hub.SystemClock{}, Tokens: named{}, NewName: name, HeartbeatS: 0.5}))
	t.Cleanup(func() { _ = server.Stop() })
	return server, listener.Addr().String()
}

func connect(t *testing.T, address string) (*websocket.Conn, context.Context) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	t.Cleanup(cancel)
	socket, _, err := websocket.Dial(ctx, "ws://"+address, &websocket.DialOptions{Subprotocols: []string{subprotocol}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = socket.CloseNow() })
	return socket, ctx
}

func say(t *testing.T, ctx context.Context, socket *websocket.Conn, kind websocket.MessageType, message []byte) {
	t.Helper()
	if err := socket.Write(ctx, kind, message); err != nil {
		t.Fatal(err)
	}
}

func hear(t *testing.T, ctx context.Context, socket *websocket.Conn) string {
	t.Helper()
	_, message, err := socket.Read(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var frame struct{ Type string }
	if err := json.Unmarshal(message, &frame); err != nil {
		t.Fatal(err)
	}
	return frame.Type
}

func expectClose(t *testing.T, ctx context.Context, socket *websocket.Conn, code websocket.StatusCode) {
	t.Helper()
	if _, message, err := socket.Read(ctx); websocket.CloseStatus(err) != code {
		t.Errorf("%s, %v, expected a close with %d", message, err, code)
	}
}

func TestALoginAndALogoutOverASocket(t *testing.T) {
	_, address := serve(t)
	socket, ctx := connect(t, address)
	say(t, ctx, socket, websocket.MessageText, []byte(login))
	if kind := hear(t, ctx, socket); kind != "logged_in" {
		t.Fatal(kind)
	}
	say(t, ctx, socket, websocket.MessageText, []byte(`{"type": "logout"}`))
	expectClose(t, ctx, socket, websocket.StatusNormalClosure)
}

func TestWithoutTheSubprotocolNobodyIsServed(t *testing.T) {
	_, address := serve(t)
	for _, offered := range []string{"", "rtm.v2", "RTM.V1"} {
		request, err := http.NewRequest(http.MethodGet, "http://"+address, nil)
		if err != nil {
			t.Fatal(err)
		}
		for name, value := range map[string]string{
			"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
			"Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol": offered,
		} {
			request.Header.Set(name, value)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, response.Body)
		_ = response.Body.Close()
		if response.StatusCode != http.StatusBadRequest {
			t.Errorf("%q: %s", offered, response.Status)
		}
	}
}

func TestAMessageOfJustTheGreatestSizeIsTakenAndOneMoreByteIsNot(t *testing.T) {
	_, address := serve(t)
	padded := func(size int) []byte { return append([]byte(login), bytes.Repeat([]byte(" "), size-len(login))...) }
	socket, ctx := connect(t, address)
	say(t, ctx, socket, websocket.MessageText, padded(65536))
	if kind := hear(t, ctx, socket); kind != "logged_in" {
		t.Error(kind)
	}
	socket, ctx = connect(t, address)
	say(t, ctx, socket, websocket.MessageText, padded(65537))
	expectClose(t, ctx, socket, websocket.StatusMessageTooBig)
}

func TestABinaryMessageIsNoFrame(t *testing.T) {
	_, address := serve(t)
	socket, ctx := connect(t, address)
	say(t, ctx, socket, websocket.MessageBinary, []byte(login))
	expectClose(t, ctx, socket, websocket.StatusInvalidFramePayloadData)
}

func TestAStopClosesWithGoingAwayAndTakesNobodyMore(t *testing.T) {
	server, address := serve(t)
	socket, ctx := connect(t, address)
	say(t, ctx, socket, websocket.MessageText, []byte(login))
	hear(t, ctx, socket)
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop() }()
	expectClose(t, ctx, socket, websocket.StatusGoingAway)
	if err := <-stopped; err != nil {
		t.Error(err)
	}
	if conn, err := net.Dial("tcp", address); err == nil {
		_ = conn.Close()
		t.Error("somebody still listens")
	}
}

func TestWhoDoesNotReadIsDropped(t *testing.T) {
	_, address := serve(t)
	idle, ctx := connect(t, address)
	say(t, ctx, idle, websocket.MessageText, []byte(login))
	say(t, ctx, idle, websocket.MessageText, []byte(`{"type": "ping", "n": 1}`))
	for range 2 {
		hear(t, ctx, idle)
	}
	sender, ctx := connect(t, address)
	say(t, ctx, sender, websocket.MessageText, []byte(strings.ReplaceAll(login, `"alice"`, `"bob"`)))
	hear(t, ctx, sender)
	message := `{"type": "send_to_peer", "id": 1, "peer": "alice", "text": "` + strings.Repeat("x", 32768) + `"}`
	// What the two kernels hold of it comes first; so many messages no kernel holds.
	for range 390 {
		say(t, ctx, sender, websocket.MessageText, []byte(message))
		if kind := hear(t, ctx, sender); kind != "done" {
			t.Fatal(kind)
		}
	}
	idle.SetReadLimit(-1)
	for {
		if _, _, err := idle.Read(ctx); err != nil {
			if ctx.Err() != nil {
				t.Error("it was never dropped")
			}
			return
		}
	}
}
