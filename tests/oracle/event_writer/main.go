// LaunchDarkly's own events, asked line by line: how a context is shown in them.
//
// Each line of standard input is a case:
//
//	{"context":CONTEXT,"all":BOOL,"private":[REFERENCE,...],"omit":BOOL}
//
// with the options of an SDK: all attributes private, private attributes, anonymous contexts
// omitted. Each line of standard output is the context of each event that one evaluation of a
// tracked and debugged flag makes, by the event's kind: {"index":...,"feature":...,"debug":...}; or
// `null` for a context that is refused.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldattr"
	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	"github.com/launchdarkly/go-sdk-common/v3/ldlog"
	"github.com/launchdarkly/go-sdk-common/v3/ldreason"
	"github.com/launchdarkly/go-sdk-common/v3/ldtime"
	"github.com/launchdarkly/go-sdk-common/v3/ldvalue"
	ldevents "github.com/launchdarkly/go-sdk-events/v3"
)

const lineBytesMax = 1 << 20

type asked struct {
	Context json.RawMessage `json:"context"`
	All     bool            `json:"all"`
	Private []string        `json:"private"`
	Omit    bool            `json:"omit"`
}

// Keeps what would be posted.
type recorder struct {
	data []byte
}

func (r *recorder) SendEventData(_ ldevents.EventDataKind, data []byte, _ int) ldevents.EventSenderResult {
	r.data = append([]byte(nil), data...)
	return ldevents.EventSenderResult{Success: true}
}

func contextsOf(context ldcontext.Context, question asked) map[string]json.RawMessage {
	sender := &recorder{}
	config := ldevents.EventsConfiguration{
		AllAttributesPrivate:  question.All,
		OmitAnonymousContexts: question.Omit,
		Capacity:              100,
		UserKeysCapacity:      100,
		EventSender:           sender,
		Loggers:               ldlog.NewDisabledLoggers(),
	}
	for _, reference := range question.Private {
		config.PrivateAttributes = append(config.PrivateAttributes, ldattr.NewRef(reference))
	}
	flag := ldevents.FlagEventProperties{
		Key: "f", Version: 1, RequireFullEvent: true,
		DebugEventsUntilDate: ldtime.UnixMillisNow() + ldtime.UnixMillisecondTime(time.Hour.Milliseconds()),
	}
	processor := ldevents.NewDefaultEventProcessor(config)
	factory := ldevents.NewEventFactory(false, nil)
	processor.RecordEvaluation(factory.NewEvaluationData(flag, ldevents.Context(context),
		ldreason.EvaluationDetail{}, false, ldvalue.Null(), "", ldvalue.OptionalInt{}, false))
	processor.FlushBlocking(time.Minute)
	_ = processor.Close()
	var events []struct {
		Kind    string          `json:"kind"`
		Context json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(sender.data, &events); err != nil {
		panic(err)
	}
	contexts := map[string]json.RawMessage{}
	for _, event := range events {
		if event.Context != nil {
			contexts[event.Kind] = event.Context
		}
	}
	return contexts
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(make([]byte, lineBytesMax), lineBytesMax)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for in.Scan() {
		var question asked
		if err := json.Unmarshal(in.Bytes(), &question); err != nil {
			panic(err)
		}
		var context ldcontext.Context
		if err := json.Unmarshal(question.Context, &context); err != nil {
			fmt.Fprintln(out, "null")
			continue
		}
		answer, err := json.Marshal(contextsOf(context, question))
		if err != nil {
			panic(err)
		}
		fmt.Fprintln(out, string(answer))
	}
}
