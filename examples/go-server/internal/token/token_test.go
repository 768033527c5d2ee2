package token

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const secret = "0123456789abcdef0123456789abcdef"

var now = time.Unix(1_000_000, 0)

func signed(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	text, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func verify(t *testing.T, text string) (Claims, error) {
	t.Helper()
	verifier, err := NewVerifier(secret)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Verify(text, now)
}

func TestWhoseATokenIsAndForHowLong(t *testing.T) {
	told := jwt.MapClaims{"app_id": "demo", "uid": "alice", "exp": 1_000_000.25, "nbf": 2_000_000, "iat": "never"}
	claims, err := verify(t, signed(t, jwt.SigningMethodHS256, []byte(secret), told))
	if err != nil {
		t.Fatal(err)
	}
	if claims.AppID != "demo" || claims.UID != "alice" || *claims.ExpiresInS(now) != 0.25 {
		t.Errorf("%+v, %v", claims, *claims.ExpiresInS(now))
	}
}

func TestATokenWithoutAnEndNeverExpires(t *testing.T) {
	claims, err := verify(t, signed(t, jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"app_id": "a", "uid": "b"}))
	if err != nil || claims.ExpiresInS(now) != nil {
		t.Errorf("%+v, %v", claims, err)
	}
}

func TestATokenExpiresInTheMomentThatItNames(t *testing.T) {
	for exp, wanted := range map[float64]error{1_000_000: ErrExpired, 999_999.5: ErrExpired, 1_000_000.001: nil} {
		told := jwt.MapClaims{"app_id": "a", "uid": "b", "exp": exp}
		if _, err := verify(t, signed(t, jwt.SigningMethodHS256, []byte(secret), told)); !errors.Is(err, wanted) {
			t.Errorf("%f: %v", exp, err)
		}
	}
}

func TestATokenThatIsNoneOfThisServers(t *testing.T) {
	good := jwt.MapClaims{"app_id": "a", "uid": "b"}
	other := []byte(strings.Repeat("x", SecretMinBytes))
	for why, text := range map[string]string{
		"empty":             "",
		"no token":          "nonsense",
		"another secret":    signed(t, jwt.SigningMethodHS256, other, good),
		"another algorithm": signed(t, jwt.SigningMethodHS512, []byte(secret), good),
		"no signature":      signed(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, good),
		"no uid":            signed(t, jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"app_id": "a"}),
		"a number as uid":   signed(t, jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"app_id": "a", "uid": 1}),
		"a word as the end": signed(t, jwt.SigningMethodHS256, []byte(secret), jwt.MapClaims{"app_id": "a", "uid": "b", "exp": "1"}),
	} {
		if _, err := verify(t, text); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v", why, err)
		}
	}
}

func TestASecretThatIsTooShortIsRefused(t *testing.T) {
	if _, err := NewVerifier(secret[1:]); err == nil {
		t.Error("31 bytes were taken")
	}
}
