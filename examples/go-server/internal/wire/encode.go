package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// Encode returns a frame as it is sent.
func Encode(frame ServerFrame) []byte {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(frame); err != nil {
		panic(fmt.Sprintf("a %T that is no JSON: %v", frame, err)) // strings, numbers and lists of them always are
	}
	// All of them are objects, and none is empty.
	return append([]byte(`{"type":"`+frame.kind()+`",`), bytes.TrimSpace(body.Bytes()[1:])...)
}
