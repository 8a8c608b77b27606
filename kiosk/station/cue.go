package station

// Cue is what the rating buttons show to a visitor: lamps light up, a pad with a display or a voice says it.
type Cue string

// The cues.
const (
	CueWelcome Cue = "welcome" // 欢迎: nothing is asked
	CueInvite  Cue = "invite"  // 请评价: a press counts now
	CueThank   Cue = "thank"   // 谢谢: the rating has been committed
	CuePause   Cue = "pause"   // 暂停服务
)
