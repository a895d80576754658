// judges reads Kubernetes objects as JSON, one a line, and prints what GitOps tools make of each, one JSON a line: by
// kstatus (Flux, kustomize, Helm), by a health script in the Lua that Argo CD runs, and by Flux's healthCheckExprs.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	"github.com/fluxcd/pkg/apis/kustomize"
	"github.com/fluxcd/pkg/runtime/cel"
	lua "github.com/yuin/gopher-lua"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	luajson "layeh.com/gopher-json"
)

// A run's record is at most 64 KiB, and its metadata come on top.
const longestLine = 1 << 20

// Argo CD gives a script this long (its util/lua).
const luaSeconds = 1 * time.Second

type question struct {
	Object map[string]any                    `json:"object"`
	Lua    string                            `json:"lua,omitempty"`
	Flux   *kustomize.HealthCheckExpressions `json:"flux,omitempty"`
}

type answer struct {
	Kstatus string            `json:"kstatus"`
	ArgoCD  map[string]string `json:"argocd,omitempty"`
	Flux    string            `json:"flux,omitempty"`
}

func main() {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, longestLine)
	for lines.Scan() {
		found, err := judge(lines.Bytes())
		if err != nil {
			fail(err)
		}
		text, err := json.Marshal(found)
		if err != nil {
			fail(err)
		}
		fmt.Println(string(text))
	}
	if err := lines.Err(); err != nil {
		fail(err)
	}
}

func judge(line []byte) (*answer, error) {
	asked := question{}
	if err := json.Unmarshal(line, &asked); err != nil {
		return nil, err
	}
	text, err := json.Marshal(asked.Object)
	if err != nil {
		return nil, err
	}
	// As clients have it: whole numbers are int64, which Flux's own check of the generation asks for.
	object := &unstructured.Unstructured{}
	if err := object.UnmarshalJSON(text); err != nil {
		return nil, err
	}
	computed, err := status.Compute(object)
	if err != nil {
		return nil, err
	}
	found := &answer{Kstatus: string(computed.Status)}
	if asked.Lua != "" {
		if found.ArgoCD, err = health(asked.Lua, object); err != nil {
			return nil, fmt.Errorf("health.lua: %w", err)
		}
	}
	if asked.Flux != nil {
		evaluator, err := cel.NewStatusEvaluator(asked.Flux)
		if err != nil {
			return nil, err
		}
		result, err := evaluator.Evaluate(context.Background(), object)
		if err != nil {
			found.Flux = "Error: " + err.Error() // to Flux that is a check that goes on until its timeout
		} else {
			found.Flux = string(result.Status)
		}
	}
	return found, nil
}

// health runs a script as Argo CD does: only the base and table libraries, `obj` as its one global, a table returned.
func health(script string, object *unstructured.Unstructured) (map[string]string, error) {
	state := lua.NewState(lua.Options{SkipOpenLibs: true})
	defer state.Close()
	for _, library := range []struct {
		name string
		open lua.LGFunction
	}{{lua.LoadLibName, lua.OpenPackage}, {lua.BaseLibName, lua.OpenBase}, {lua.TabLibName, lua.OpenTable}} {
		call := lua.P{Fn: state.NewFunction(library.open), NRet: 0, Protect: true}
		if err := state.CallByParam(call, lua.LString(library.name)); err != nil {
			return nil, err
		}
	}
	limited, cancel := context.WithTimeout(context.Background(), luaSeconds)
	defer cancel()
	state.SetContext(limited)
	text, err := object.MarshalJSON()
	if err != nil {
		return nil, err
	}
	value, err := luajson.Decode(state, text)
	if err != nil {
		return nil, err
	}
	state.SetGlobal("obj", value)
	if err := state.DoString(script); err != nil {
		return nil, err
	}
	returned, err := luajson.Encode(state.Get(-1))
	if err != nil {
		return nil, err
	}
	found := map[string]string{}
	return found, json.Unmarshal(returned, &found)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, "judges:", err)
	os.Exit(1)
}
