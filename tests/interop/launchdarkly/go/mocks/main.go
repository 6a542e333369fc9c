// LaunchDarkly's service as the makers of its Go SDK play it in their own tests (ldservices and
// ldservicesv2), driven over stdin, a JSON value a line, and telling every request on stdout:
//
//	mocks '{"flags": [FLAG, …], "fdv2": true}'
//	{"event": "listening", "uri": "http://127.0.0.1:PORT"}
//	{"event": "request", "path": "/sdk/stream?…", "key": "…"}
//
// understands {"do": "set", "flag": FLAG}, {"do": "delete", "key": …, "version": …} and {"do": "end"},
// which ends the streams; new ones begin with what is so then.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldmodel"
	"github.com/launchdarkly/go-server-sdk/v7/subsystems"
	"github.com/launchdarkly/go-server-sdk/v7/testhelpers/ldservices"
	"github.com/launchdarkly/go-server-sdk/v7/testhelpers/ldservicesv2"
	"github.com/launchdarkly/go-test-helpers/v3/httphelpers"
)

type options struct {
	Flags []ldmodel.FeatureFlag `json:"flags"`
	FDv2  bool                  `json:"fdv2"`
}

type command struct {
	Do      string              `json:"do"`
	Flag    ldmodel.FeatureFlag `json:"flag"`
	Key     string              `json:"key"`
	Version int                 `json:"version"`
}

// Told from the serving goroutines and from main.
var speaking sync.Mutex

func say(message any) {
	text, err := json.Marshal(message)
	if err != nil {
		panic(err)
	}
	speaking.Lock()
	defer speaking.Unlock()
	fmt.Println(string(text))
}

// service is the vendor: its flags, and a handler and the streams that it was last made with.
type service struct {
	sync.Mutex
	fdv2    bool
	version int
	flags   map[string]ldmodel.FeatureFlag
	handler http.Handler
	stream  httphelpers.SSEStreamControl
}

func (s *service) begin() {
	if s.stream != nil {
		_ = s.stream.Close()
	}
	var polling http.Handler
	var streaming http.Handler
	if s.fdv2 {
		data := ldservicesv2.NewServerSDKData()
		for _, flag := range s.flags {
			data.Flags(flag)
		}
		protocol := ldservicesv2.NewStreamingProtocol().
			WithIntent(subsystems.ServerIntent{Payload: subsystems.Payload{
				ID: "mock", Target: s.version, Code: subsystems.IntentTransferFull, Reason: "payload-missing"}}).
			WithPutObjects(data.ToPutObjects()).WithTransferred("mock-state", s.version)
		streaming, s.stream = ldservices.ServerSideStreamingV2ServiceProtocolHandler(protocol)
		polling = ldservices.ServerSidePollingV2ServiceHandler(
			data.ToInitializerPayload(subsystems.NewSelector("mock-state", s.version)))
	} else {
		data := ldservices.NewServerSDKData()
		for _, flag := range s.flags {
			data.Flags(flag)
		}
		streaming, s.stream = ldservices.ServerSideStreamingServiceHandler(data.ToPutEvent())
		polling = ldservices.ServerSidePollingServiceHandler(data)
	}
	events := ldservices.ServerSideEventsServiceHandler()
	s.handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/bulk", "/diagnostic":
			events.ServeHTTP(w, r)
		case "/sdk/poll", "/sdk/latest-all":
			polling.ServeHTTP(w, r)
		default:
			streaming.ServeHTTP(w, r)
		}
	})
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	say(map[string]any{"event": "request", "path": r.URL.RequestURI(), "key": r.Header.Get("Authorization")})
	s.Lock()
	handler := s.handler
	s.Unlock()
	handler.ServeHTTP(w, r)
}

func (s *service) tell(given command) {
	s.version++
	if s.fdv2 {
		protocol := ldservicesv2.NewStreamingProtocol()
		if given.Do == "set" {
			object, _ := json.Marshal(given.Flag)
			protocol.WithPutObject(subsystems.PutObject{
				Version: given.Flag.Version, Kind: subsystems.FlagKind, Key: given.Flag.Key, Object: object})
		} else {
			protocol.WithDeleteObject(subsystems.DeleteObject{
				Version: given.Version, Kind: subsystems.FlagKind, Key: given.Key})
		}
		protocol.WithTransferred("mock-state", s.version).Enqueue(s.stream)
		return
	}
	if given.Do == "set" {
		data, _ := json.Marshal(map[string]any{"path": "/flags/" + given.Flag.Key, "data": given.Flag})
		s.stream.Enqueue(httphelpers.SSEEvent{Event: "patch", Data: string(data)})
	} else {
		data, _ := json.Marshal(map[string]any{"path": "/flags/" + given.Key, "version": given.Version})
		s.stream.Enqueue(httphelpers.SSEEvent{Event: "delete", Data: string(data)})
	}
}

func (s *service) obey(given command) {
	s.Lock()
	defer s.Unlock()
	switch given.Do {
	case "set":
		s.flags[given.Flag.Key] = given.Flag
		s.tell(given)
	case "delete":
		delete(s.flags, given.Key)
		s.tell(given)
	case "end":
		s.begin()
	}
}

func main() {
	var wanted options
	if err := json.Unmarshal([]byte(os.Args[1]), &wanted); err != nil {
		panic(err)
	}
	vendor := &service{fdv2: wanted.FDv2, version: 1, flags: map[string]ldmodel.FeatureFlag{}}
	for _, flag := range wanted.Flags {
		vendor.flags[flag.Key] = flag
	}
	vendor.begin()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = http.Serve(listener, vendor) }()
	say(map[string]any{"event": "listening", "uri": "http://" + listener.Addr().String()})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var given command
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			panic(err)
		}
		vendor.obey(given)
		say(map[string]any{"details": given.Do})
	}
}
