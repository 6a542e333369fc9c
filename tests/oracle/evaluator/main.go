// LaunchDarkly's own evaluator, asked line by line.
//
// Each line of standard input is a case:
//
//	{"flags":[["KEY",FLAG],...],"segments":[["KEY",SEGMENT],...],"contexts":[CONTEXT,...]}
//
// and each line of standard output its answers, with tabs between: first the keys of the flags and
// segments that LaunchDarkly's parser refuses, then one answer for each context and flag, contexts
// first: `invalid` for a context that is refused, `missing` for a flag that was, else
//
//	KIND,ruleIndex,ruleId,prerequisiteKey,errorKind,inExperiment,bigSegmentsStatus,index,value,isExperiment
//
// followed by `;PREREQUISITE_OF>KEY:KIND:index:isExperiment` for each prerequisite that was evaluated.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/launchdarkly/go-sdk-common/v3/ldcontext"
	"github.com/launchdarkly/go-sdk-common/v3/ldreason"
	evaluation "github.com/launchdarkly/go-server-sdk-evaluation/v3"
	"github.com/launchdarkly/go-server-sdk-evaluation/v3/ldmodel"
)

type named struct {
	key string
	raw json.RawMessage
}

func (n *named) UnmarshalJSON(data []byte) error {
	var pair [2]json.RawMessage
	if err := json.Unmarshal(data, &pair); err != nil {
		return err
	}
	n.raw = pair[1]
	return json.Unmarshal(pair[0], &n.key)
}

type testCase struct {
	Flags    []named           `json:"flags"`
	Segments []named           `json:"segments"`
	Contexts []json.RawMessage `json:"contexts"`
}

type store struct {
	flags    map[string]*ldmodel.FeatureFlag
	segments map[string]*ldmodel.Segment
}

func (s *store) GetFeatureFlag(key string) *ldmodel.FeatureFlag { return s.flags[key] }
func (s *store) GetSegment(key string) *ldmodel.Segment         { return s.segments[key] }

func load(c testCase) (*store, []string) {
	serialization := ldmodel.NewJSONDataModelSerialization()
	s := &store{map[string]*ldmodel.FeatureFlag{}, map[string]*ldmodel.Segment{}}
	refused := []string{}
	for _, n := range c.Flags {
		if flag, err := serialization.UnmarshalFeatureFlag(n.raw); err == nil {
			s.flags[n.key] = &flag
		} else {
			refused = append(refused, n.key)
		}
	}
	for _, n := range c.Segments {
		if segment, err := serialization.UnmarshalSegment(n.raw); err == nil {
			s.segments[n.key] = &segment
		} else {
			refused = append(refused, n.key)
		}
	}
	return s, refused
}

func indexOf(detail ldreason.EvaluationDetail) int { return detail.VariationIndex.OrElse(-1) }

func answer(e evaluation.Evaluator, flag *ldmodel.FeatureFlag, context ldcontext.Context) string {
	var prerequisites strings.Builder
	result := e.Evaluate(flag, context, func(event evaluation.PrerequisiteFlagEvent) {
		detail := event.PrerequisiteResult.Detail
		fmt.Fprintf(&prerequisites, ";%s>%s:%s:%d:%t", event.TargetFlagKey, event.PrerequisiteFlag.Key,
			detail.Reason.GetKind(), indexOf(detail), event.PrerequisiteResult.IsExperiment)
	})
	reason := result.Detail.Reason
	value := ""
	if !result.Detail.IsDefaultValue() {
		value = result.Detail.Value.JSONString()
	}
	return fmt.Sprintf("%s,%d,%s,%s,%s,%t,%s,%d,%s,%t%s", reason.GetKind(), reason.GetRuleIndex(),
		reason.GetRuleID(), reason.GetPrerequisiteKey(), reason.GetErrorKind(), reason.IsInExperiment(),
		reason.GetBigSegmentsStatus(), indexOf(result.Detail), value, result.IsExperiment,
		prerequisites.String())
}

func answers(c testCase) string {
	s, refused := load(c)
	e := evaluation.NewEvaluator(s)
	pieces := []string{strings.Join(refused, ",")}
	for _, raw := range c.Contexts {
		var context ldcontext.Context
		err := json.Unmarshal(raw, &context)
		for _, n := range c.Flags {
			flag := s.flags[n.key]
			switch {
			case err != nil:
				pieces = append(pieces, "invalid")
			case flag == nil:
				pieces = append(pieces, "missing")
			default:
				pieces = append(pieces, answer(e, flag, context))
			}
		}
	}
	return strings.Join(pieces, "\t")
}

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	out := bufio.NewWriterSize(os.Stdout, 1<<16)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		var c testCase
		if err := json.Unmarshal(line, &c); err != nil {
			fmt.Fprintln(os.Stderr, "no case:", err)
			os.Exit(1)
		}
		fmt.Fprintln(out, answers(c))
		// Whoever waits for an answer gets it; while more is asked, answers go out together.
		if in.Buffered() == 0 {
			if err := out.Flush(); err != nil {
				os.Exit(1)
			}
		}
	}
	if err := out.Flush(); err != nil {
		os.Exit(1)
	}
}
