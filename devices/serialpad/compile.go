package serialpad

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// kind is the part that a message plays in a profile.
type kind string

const (
	kindPress   kind = "pad.press"
	kindAnswer  kind = "pad.answer"
	kindConfirm kind = "pad.confirm"
	kindQuery   kind = "host.query"
	kindAck     kind = "host.ack"
	kindWelcome kind = "host.welcome"
	kindInvite  kind = "host.invite"
	kindThank   kind = "host.thank"
	kindPause   kind = "host.pause"
)

// padKinds and hostKinds are in the order in which received bytes are compared with them.
func padKinds() []kind { return []kind{kindPress, kindAnswer, kindConfirm} }
func hostKinds() []kind {
	return []kind{kindAck, kindQuery, kindWelcome, kindInvite, kindThank, kindPause}
}

// showKind is the message that makes a pad show a state.
func showKind(s State) kind { return kind("host." + s) }

// meaning is what a {key} stands for.
type meaning struct {
	grade int    // 1 to 5, or 0
	name  string // of a key that is no grade, "" for none
}

// compiled is a profile made ready for use.
type compiled struct {
	*Profile
	messages map[kind]*message
	keys     map[byte]meaning
	checked  bool // every message of the pad has a checksum
}

// written are the messages of a profile as they are written.
func (p *Profile) written() map[kind]string {
	return map[kind]string{
		kindPress: p.Pad.Press, kindAnswer: p.Pad.Answer, kindConfirm: p.Pad.Confirm,
		kindQuery: p.Host.Query, kindAck: p.Host.Ack,
		kindWelcome: p.Host.Welcome, kindInvite: p.Host.Invite, kindThank: p.Host.Thank, kindPause: p.Host.Pause,
	}
}

// problems gathers what is wrong with a profile.
type problems []string

func (ps *problems) add(wrong bool, format string, args ...any) {
	if wrong {
		*ps = append(*ps, fmt.Sprintf(format, args...))
	}
}

// compile checks the profile and makes it ready; its error says every problem.
func (p *Profile) compile() (*compiled, error) {
	c := &compiled{Profile: p, messages: map[kind]*message{}, keys: map[byte]meaning{}, checked: true}
	var wrong problems
	wrong.add(p.Name == "" || strings.ContainsAny(p.Name, "/\\ "), "name must be a word, such as reference")
	c.compileLine(&wrong)
	c.compileMessages(&wrong)
	c.compileKeys(&wrong)
	c.checkTiming(&wrong)
	if wrong != nil {
		return nil, fmt.Errorf("cannot use pad profile %q: %s", p.Name, strings.Join(wrong, "; "))
	}
	return c, nil
}

func (c *compiled) compileLine(wrong *problems) {
	l := c.Line
	wrong.add(l.Baud < 300 || l.Baud > 4000000, "line.baud must be 300..4000000")
	wrong.add(l.Size != 7 && l.Size != 8, "line.size must be 7 or 8")
	wrong.add(!slices.Contains([]string{"none", "odd", "even"}, l.Parity), "line.parity must be none, odd or even")
	wrong.add(l.StopBits != 1 && l.StopBits != 2, "line.stopBits must be 1 or 2")
	if a := c.Address; a != nil {
		wrong.add(a.Least < 0 || a.Most > 255 || a.Least > a.Most, "address.least to address.most must be within 0..255")
		wrong.add(a.Default < a.Least || a.Default > a.Most, "address.default must be from address.least to address.most")
	}
}

func (c *compiled) compileMessages(wrong *problems) {
	written := c.written()
	for _, k := range slices.Concat(padKinds(), hostKinds()) {
		if written[k] == "" {
			continue
		}
		m, err := parseMessage(written[k])
		if err != nil {
			wrong.add(true, "%s: %v", k, err)
			continue
		}
		c.messages[k] = m
		fromPad := slices.Contains(padKinds(), k)
		for _, p := range m.parts {
			wrong.add(fromPad && p.what == text, "%s: a pad sends no {text}, only {rest}", k)
			wrong.add(!fromPad && (p.what == anyByte || p.what == rest), "%s: we know every byte that we send: no {any}, no {rest}", k)
			wrong.add(p.what == key && (k == kindQuery || k == kindConfirm), "%s: has no {key}", k)
		}
		wrong.add((c.Address != nil) != m.has(address) && (fromPad || c.Address == nil),
			"%s: an {address} in the messages of the pad and the section address go together", k)
		if fromPad {
			c.checked = c.checked && m.check != CheckNone
		}
	}
	press, answer := c.messages[kindPress], c.messages[kindAnswer]
	held := answer != nil && answer.has(key)
	wrong.add(press == nil && !held, "neither pad.press nor pad.answer has a {key}: no button could ever be pressed")
	wrong.add(press != nil && !press.has(key), "pad.press: has no {key}")
	wrong.add(press != nil && held, "pad.press and pad.answer both have a {key}: each press would be told twice")
	wrong.add(c.Hold != held, "hold says that pad.answer has a {key}: the two go together")
	wrong.add(c.Hold && written[kindAck] == "", "hold needs a host.ack, or a press would be held for ever")
	wrong.add((written[kindQuery] == "") != (written[kindAnswer] == ""), "host.query and pad.answer go together")
	wrong.add(c.Repeat.UntilAck && written[kindAck] == "", "repeat.untilAck needs a host.ack")
	for _, a := range padKinds() {
		for _, b := range padKinds() {
			wrong.add(a < b && written[a] != "" && written[a] == written[b], "%s and %s are the same: they could not be told apart", a, b)
		}
	}
}

func (c *compiled) compileKeys(wrong *problems) {
	wrong.add(len(c.Keys) == 0, "keys is empty")
	meant := map[string]bool{}
	for _, code := range slices.Sorted(maps.Keys(c.Keys)) {
		m := c.Keys[code]
		b, err := hex.DecodeString(code)
		if err != nil || len(b) != 1 {
			wrong.add(true, "keys: %q is not a byte in hexadecimal", code)
			continue
		}
		grade, err := strconv.Atoi(m)
		if err == nil {
			wrong.add(grade < 1 || grade > 5, "keys.%s: %q is no grade: want 1 (非常不满意) to 5 (非常满意), %s, or the name of another key",
				code, m, keyNone)
			wrong.add(meant[m], "keys.%s: grade %s has a key already", code, m)
		}
		wrong.add(m == "", "keys.%s: its meaning is empty", code)
		_, twice := c.keys[b[0]]
		wrong.add(twice, "keys: %s is there twice", code)
		meant[m] = true
		c.keys[b[0]] = meaning{grade: grade, name: m}
		if err == nil || m == keyNone {
			c.keys[b[0]] = meaning{grade: grade}
		}
	}
	wrong.add(c.Hold && !meant[keyNone], "keys: hold needs a key that means %s", keyNone)
}

func (c *compiled) checkTiming(wrong *problems) {
	t, r := c.Timing, c.Repeat
	for _, v := range []struct {
		name        string
		value       int
		least, most int
	}{
		{"timing.gapMs", t.GapMs, 5, 500}, {"timing.settleMs", t.SettleMs, 0, 10000}, {"timing.sameMs", t.SameMs, 0, 10000},
		{"timing.lateMs", t.LateMs, 0, 5000}, {"timing.turnMs", t.TurnMs, 0, 200}, {"timing.resendMs", t.ResendMs, 0, 600000},
		{"repeat.everyMs", r.EveryMs, 0, 5000}, {"repeat.forMs", r.ForMs, 0, 10000},
	} {
		wrong.add(v.value < v.least || v.value > v.most, "%s must be %d..%d", v.name, v.least, v.most)
	}
	wrong.add(r.EveryMs > 0 && r.ForMs < r.EveryMs, "repeat.forMs must be at least repeat.everyMs")
	wrong.add(r.EveryMs == 0 && (r.ForMs > 0 || r.UntilAck), "repeat.everyMs is missing")
	if c.CanAsk() || c.Pad.Confirm != "" {
		wrong.add(t.AnswerMs < 5 || t.AnswerMs > 5000, "timing.answerMs must be 5..5000")
		wrong.add(t.Missed < 1 || t.Missed > 100, "timing.missed must be 1..100")
	}
	wrong.add(c.CanAsk() && (t.PollMs < 20 || t.PollMs > 60000), "timing.pollMs must be 20..60000")
	wrong.add(t.SettleMs < t.LateMs, "timing.settleMs must be at least timing.lateMs: what comes so late was sent before the start")
	press, answer := c.messages[kindPress], c.messages[kindAnswer]
	if press == nil {
		return
	}
	// The last copy of a press may be the second that is heard of it, and late.
	longest := r.ForMs + t.LateMs
	wrong.add(!press.has(sequence) && t.SameMs < longest,
		"timing.sameMs must be at least repeat.forMs and timing.lateMs together: without a {sequence}, a copy that comes later would be a second press")
	knows := answer != nil && answer.has(sequence) && press.has(sequence) // which press is old
	wrong.add(!knows && t.SettleMs < longest,
		"timing.settleMs must be at least repeat.forMs and timing.lateMs together: a press from before the start may be heard so long")
}
