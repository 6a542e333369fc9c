// LaunchDarkly's server SDK for Go as a small app, driven over stdin and stdout, a JSON value a line
// (launchdarkly_client.py says what is understood):
//
//	client '{"uri": …, "key": …, "mode": "streaming", "flush_interval": …}'
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	"github.com/launchdarkly/go-sdk-common/v3/ldvalue"
	ld "github.com/launchdarkly/go-server-sdk/v7"
	"github.com/launchdarkly/go-server-sdk/v7/ldcomponents"
)

type options struct {
	URI           string  `json:"uri"`
	Key           string  `json:"key"`
	Mode          string  `json:"mode"`
	Events        *bool   `json:"events"`
	Diagnostics   bool    `json:"diagnostics"`
	FlushInterval float64 `json:"flush_interval"`
	StartWait     float64 `json:"start_wait"`
}

type command struct {
	Do       string            `json:"do"`
	Key      string            `json:"key"`
	Count    int               `json:"count"`
	Fallback ldvalue.Value     `json:"fallback"`
	Data     ldvalue.Value     `json:"data"`
	Metric   *float64          `json:"metric"`
	Context  ldcontext.Context `json:"context"`
}

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

func seconds(number, otherwise float64) time.Duration {
	if number == 0 {
		number = otherwise
	}
	return time.Duration(number * float64(time.Second))
}

func configuration(wanted options) ld.Config {
	config := ld.Config{
		Logging:          ldcomponents.NoLogging(),
		DiagnosticOptOut: !wanted.Diagnostics,
		ServiceEndpoints: ldcomponents.RelayProxyEndpoints(wanted.URI),
		Events:           ldcomponents.SendEvents().FlushInterval(seconds(wanted.FlushInterval, 600)),
	}
	if wanted.Events != nil && !*wanted.Events {
		config.Events = ldcomponents.NoEvents()
	}
	system := ldcomponents.DataSystem().WithRelayProxyEndpoints(wanted.URI)
	switch wanted.Mode {
	case "polling":
		config.DataSource = ldcomponents.PollingDataSource()
	case "fdv2":
		config.DataSystem = system.Streaming()
	case "fdv2-polling":
		config.DataSystem = system.Polling()
	case "fdv2-default":
		config.DataSystem = system.Default()
	default:
		config.DataSource = ldcomponents.StreamingDataSource().InitialReconnectDelay(100 * time.Millisecond)
	}
	return config
}

func obey(client *ld.LDClient, given command) any {
	if given.Context.Key() == "" {
		given.Context = ldcontext.New("anybody")
	}
	switch given.Do {
	case "variation":
		value, detail, _ := client.JSONVariationDetail(given.Key, given.Context, given.Fallback)
		return map[string]any{"value": value, "variation": detail.VariationIndex, "reason": detail.Reason}
	case "values":
		return client.AllFlagsState(given.Context).ToValuesMap()
	case "repeat":
		for range given.Count {
			_, _ = client.JSONVariation(given.Key, given.Context, given.Fallback)
		}
	case "track":
		if given.Metric != nil {
			_ = client.TrackMetric(given.Key, given.Context, *given.Metric, given.Data)
		} else {
			_ = client.TrackData(given.Key, given.Context, given.Data)
		}
	case "identify":
		_ = client.Identify(given.Context)
	case "flush":
		client.Flush()
	case "initialized":
		return client.Initialized()
	}
	return nil
}

func main() {
	var wanted options
	if err := json.Unmarshal([]byte(os.Args[1]), &wanted); err != nil {
		panic(err)
	}
	client, _ := ld.MakeCustomClient(wanted.Key, configuration(wanted), seconds(wanted.StartWait, 30))
	go func() {
		for change := range client.GetFlagTracker().AddFlagChangeListener() {
			say(map[string]any{"event": "changed", "key": change.Key})
		}
	}()
	go func() {
		for status := range client.GetDataSourceStatusProvider().AddStatusListener() {
			say(map[string]any{"event": "status", "state": status.State})
		}
	}()
	say(map[string]any{"event": "started", "initialized": client.Initialized()})
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<24)
	for lines.Scan() {
		var given command
		if err := json.Unmarshal(lines.Bytes(), &given); err != nil {
			say(map[string]any{"details": map[string]any{"thrown": err.Error()}})
			continue
		}
		say(map[string]any{"details": obey(client, given)})
	}
	_ = client.Close()
}
