package ws

import (
	"context"
	"log/slog"
	"net"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// waitingMaxBytes may wait for a client that does not read.
const waitingMaxBytes = 1 << 20

// link is a connection's way out: a queue, so that nobody waits for a client that does not read.
type link struct {
	socket *websocket.Conn
	raw    net.Conn

	mu      sync.Mutex
	changed *sync.Cond
	frames  [][]byte
	waiting int // bytes
	closing *websocket.CloseError
	ended   bool
}

func newLink(socket *websocket.Conn, raw net.Conn) *link {
	l := &link{socket: socket, raw: raw}
	l.changed = sync.NewCond(&l.mu)
	return l
}

// Send has a frame sent after those before it.
func (l *link) Send(frame []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closing != nil || l.ended {
		return
	}
	l.frames = append(l.frames, frame)
	l.waiting += len(frame)
	if l.waiting > waitingMaxBytes {
		slog.Info("dropped: it does not read", "client", l.raw.RemoteAddr())
		l.drop()
		return
	}
	l.changed.Signal()
}

// Close has the connection closed after what was sent, and dropped where that takes too long.
func (l *link) Close(code int, reason string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closing = &websocket.CloseError{Code: websocket.StatusCode(code), Reason: reason}
	time.AfterFunc(closeTime, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.drop()
	})
	l.changed.Signal()
}

// end tells the writer that the connection is over.
func (l *link) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.drop()
}

// drop ends the TCP connection, which ends whatever waits for it. An error says that it is at its end already.
func (l *link) drop() {
	l.ended = true
	_ = l.raw.Close()
	l.changed.Signal()
}

// write sends until the connection is closed or over.
func (l *link) write() {
	for {
		frames, closing, ended := l.next()
		if ended {
			_ = l.socket.CloseNow() // what holds the library's own resources; the connection is over
			return
		}
		for _, frame := range frames {
			if err := l.socket.Write(context.Background(), websocket.MessageText, frame); err != nil {
				l.end()
				return
			}
			l.sent(len(frame))
		}
		if closing != nil {
			// The client's answer, or the end of its patience, ends the reader too.
			_ = l.socket.Close(closing.Code, closing.Reason)
			l.end()
			return
		}
	}
}

// next waits for something to do, and takes all that there is.
func (l *link) next() (frames [][]byte, closing *websocket.CloseError, ended bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.frames) == 0 && l.closing == nil && !l.ended {
		l.changed.Wait()
	}
	frames, l.frames = l.frames, nil
	return frames, l.closing, l.ended
}

func (l *link) sent(bytes int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.waiting -= bytes
}
