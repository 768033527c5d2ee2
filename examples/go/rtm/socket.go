package rtm

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// byeTime is how long the server has to close a connection, after the last that was sent on it.
const byeTime = 500 * time.Millisecond

// events is what a socket reports, from its own goroutine.
type events interface {
	opened(id int)
	received(id int, f *serverFrame)
	closed(id int, cause error)
}

// socket is one WebSocket connection and its two goroutines. None of its methods waits.
type socket struct {
	id     int
	ctx    context.Context
	cancel context.CancelFunc // ends it, however far it is: the only way to do so

	mu    sync.Mutex
	queue []frame
	wake  chan struct{}
}

func newSocket(id int) *socket {
	ctx, cancel := context.WithCancel(context.Background())
	return &socket{id: id, ctx: ctx, cancel: cancel, wake: make(chan struct{}, 1)}
}

// run opens the connection and reads it, until it is closed at either end. It reports the close last of all.
func (s *socket) run(url string, to events) {
	cause := s.readAll(url, to)
	s.cancel()
	to.closed(s.id, cause)
}

func (s *socket) readAll(url string, to events) error {
	conn, _, err := websocket.Dial(s.ctx, url, &websocket.DialOptions{
		HTTPClient: s.httpClient(), Subprotocols: []string{subprotocol}, CompressionMode: websocket.CompressionDisabled,
	})
	if err != nil {
		return err
	}
	defer conn.CloseNow()
	if conn.Subprotocol() != subprotocol {
		return fmt.Errorf("the server does not speak %s", subprotocol)
	}
	conn.SetReadLimit(frameMaxBytes)
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.writeAll(conn)
	}()
	defer func() {
		s.cancel()
		<-written
	}()
	to.opened(s.id)
	for {
		kind, data, err := conn.Read(s.ctx)
		if err != nil {
			return err
		}
		if kind != websocket.MessageText {
			return fmt.Errorf("not a frame of the server: %s", kind)
		}
		f, err := decode(data)
		if err != nil {
			return err
		}
		to.received(s.id, f)
	}
}

// httpClient is for the upgrade of this one connection. Left alone it would go on with a TCP connect that hangs, after
// the socket was ended, for the benefit of the next request.
func (s *socket) httpClient() *http.Client {
	dial := func(_ context.Context, network, address string) (net.Conn, error) {
		return new(net.Dialer).DialContext(s.ctx, network, address)
	}
	return &http.Client{Transport: &http.Transport{
		Proxy: http.ProxyFromEnvironment, DialContext: dial, DisableKeepAlives: true,
	}}
}

// send queues a frame.
func (s *socket) send(f frame) {
	s.mu.Lock()
	s.queue = append(s.queue, f)
	s.mu.Unlock()
	select {
	case s.wake <- struct{}{}:
	default: // it is to wake up already
	}
}

func (s *socket) taken() []frame {
	s.mu.Lock()
	defer s.mu.Unlock()
	taken := s.queue
	s.queue = nil
	return taken
}

func (s *socket) writeAll(conn *websocket.Conn) {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		}
		for _, f := range s.taken() {
			data, err := f.encode()
			if err == nil {
				err = conn.Write(s.ctx, websocket.MessageText, data)
			}
			if err != nil {
				s.cancel() // the reader sees it, and reports the end
				return
			}
		}
	}
}
