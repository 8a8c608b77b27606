package idcard

import (
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"yuanban/devices/idnumber"
)

// Kind says which layout a card's text has.
type Kind string

const (
	Resident    Kind = "resident"    // resident identity card
	HMT         Kind = "hmt"         // residence permit of Hong Kong, Macao and Taiwan residents, type J
	Foreign2017 Kind = "foreign2017" // foreign permanent resident, card of 2017, type I
	Foreign2023 Kind = "foreign2023" // foreign permanent resident, card of 2023, type Y
)

// Kinds lists all kinds of cards.
func Kinds() []Kind { return []Kind{Resident, HMT, Foreign2017, Foreign2023} }

// Card is the text on a card (GA 490-2013 and its supplements for types J, I and Y).
// Fields that a kind does not have are empty. Dates are YYYYMMDD.
//
// It is personal data: every way of printing it shows name and number masked and
// nothing else. The photo is never kept.
type Card struct {
	Kind        Kind   `json:"kind"`
	Name        string `json:"name,omitempty"`        // in Chinese characters
	EnglishName string `json:"englishName,omitempty"` // foreign cards
	Sex         string `json:"sex,omitempty"`         // 男, 女, 未知 or 未说明 (GB/T 2261.1)
	Nation      string `json:"nation,omitempty"`      // 汉, 蒙古, … (GB/T 3304), 其他(81) for a code not in the standard; resident only
	Birth       string `json:"birth,omitempty"`
	Address     string `json:"address,omitempty"`
	Number      string `json:"number,omitempty"`
	Authority   string `json:"authority,omitempty"` // issuing authority; its 4-digit code on Foreign2017
	ValidFrom   string `json:"validFrom,omitempty"`
	ValidTo     string `json:"validTo,omitempty"`    // empty when Permanent
	Permanent   bool   `json:"permanent,omitempty"`  // valid for ever: 长期
	PassNumber  string `json:"passNumber,omitempty"` // HMT: the travel pass, 9 characters
	Country     string `json:"country,omitempty"`    // foreign: ISO 3166, letters or digits
	Issue       string `json:"issue,omitempty"`      // HMT: times issued; Foreign2023: times renewed; Foreign2017: version of the card
	Link        string `json:"link,omitempty"`       // Foreign2023: 3 characters that lead to the former number
	Garbled     bool   `json:"garbled,omitempty"`    // a character could not be decoded and reads U+FFFD
}

// String shows kind, name and number, masked.
func (c Card) String() string {
	return fmt.Sprintf("%s card %s %s", c.Kind, idnumber.MaskName(c.shownName()), idnumber.MaskNumber(c.Number))
}

// Format writes String whatever the verb, so that %+v and %#v tell no more.
func (c Card) Format(f fmt.State, _ rune) { fmt.Fprint(f, c.String()) }

// LogValue is the masked card for log/slog.
func (c Card) LogValue() slog.Value {
	return slog.GroupValue(
		slog.String("kind", string(c.Kind)),
		slog.String("name", idnumber.MaskName(c.shownName())),
		slog.String("number", idnumber.MaskNumber(c.Number)))
}

func (c Card) shownName() string {
	if c.Name != "" {
		return c.Name
	}
	return c.EnglishName
}

// chinaTime is the time in which a card's days begin and end.
var chinaTime = time.FixedZone("CST", 8*60*60)

// Expired tells whether the last day of validity is over. A card without a readable
// last day does not expire: that is for people to judge.
func (c Card) Expired(now time.Time) bool {
	last, err := time.ParseInLocation(dateForm, c.ValidTo, chinaTime)
	return err == nil && !c.Permanent && !now.Before(last.AddDate(0, 0, 1))
}

// Check tells whether the card agrees with itself: a number that is right for its
// kind, and the birth date that the number contains. The sex is not compared; genuine
// cards are known on which it differs.
func (c Card) Check() error {
	var err error
	var birth string
	switch c.Kind {
	case Resident:
		_, err = idnumber.CheckResident(c.Number)
	case HMT:
		_, err = idnumber.CheckPermit(c.Number)
	case Foreign2017, Foreign2023:
		var f idnumber.Foreign
		f, err = idnumber.ParseForeign(c.Number)
		birth = f.Birth
		if err == nil && (f.Issue == 2017) != (c.Kind == Foreign2017) {
			err = errors.New("a number of the other generation of cards")
		}
	default:
		err = fmt.Errorf("kind %q is not known", c.Kind)
	}
	if err != nil {
		return fmt.Errorf("cannot trust card: %w", err)
	}
	if birth == "" {
		birth = c.Number[6:14]
	}
	if c.Birth != "" && !strings.HasSuffix(c.Birth, birth) {
		return errors.New("cannot trust card: birth date and number contradict each other")
	}
	return nil
}

// dateForm is the form of all dates on a card.
const dateForm = "20060102"

// forever is the end of validity of a card that has none.
const forever = "长期"

var sexes = []struct{ code, word string }{{"0", "未知"}, {"1", "男"}, {"2", "女"}, {"9", "未说明"}}

// nations lists the peoples by code (GB/T 3304); codes not in the standard are empty.
var nations = [...]string{
	1: "汉", 2: "蒙古", 3: "回", 4: "藏", 5: "维吾尔", 6: "苗", 7: "彝", 8: "壮", 9: "布依", 10: "朝鲜",
	11: "满", 12: "侗", 13: "瑶", 14: "白", 15: "土家", 16: "哈尼", 17: "哈萨克", 18: "傣", 19: "黎", 20: "傈僳",
	21: "佤", 22: "畲", 23: "高山", 24: "拉祜", 25: "水", 26: "东乡", 27: "纳西", 28: "景颇", 29: "柯尔克孜", 30: "土",
	31: "达斡尔", 32: "仫佬", 33: "羌", 34: "布朗", 35: "撒拉", 36: "毛南", 37: "仡佬", 38: "锡伯", 39: "阿昌", 40: "普米",
	41: "塔吉克", 42: "怒", 43: "乌孜别克", 44: "俄罗斯", 45: "鄂温克", 46: "德昂", 47: "保安", 48: "裕固", 49: "京", 50: "塔塔尔",
	51: "独龙", 52: "鄂伦春", 53: "赫哲", 54: "门巴", 55: "珞巴", 56: "基诺", 97: "其他", 98: "外国血统中国籍人士",
}

// sexWord turns the code on the chip into a word; other codes read as unknown, for
// none of them means a sex.
func sexWord(code string) string {
	if code == "" {
		return ""
	}
	for _, s := range sexes {
		if s.code == code {
			return s.word
		}
	}
	return sexes[0].word
}

func sexCode(word string) (string, error) {
	for _, s := range sexes {
		if word == s.word || word == s.code {
			return s.code, nil
		}
	}
	if word == "" {
		return "", nil
	}
	return "", fmt.Errorf("sex is %q, must be 男, 女, 未知 or 未说明", word)
}

func nationWord(code string) string {
	if code == "" {
		return ""
	}
	if n, ok := twoDigits(code); ok && n < len(nations) && nations[n] != "" {
		return nations[n]
	}
	return "其他(" + code + ")"
}

func nationCode(word string) (string, error) {
	if _, ok := twoDigits(word); ok || word == "" {
		return word, nil
	}
	if code, ok := strings.CutPrefix(word, "其他("); ok {
		return strings.TrimSuffix(code, ")"), nil
	}
	if n := slices.Index(nations[:], strings.TrimSuffix(word, "族")); n > 0 {
		return fmt.Sprintf("%02d", n), nil
	}
	return "", fmt.Errorf("nation %q is not in GB/T 3304", word)
}

func twoDigits(s string) (int, bool) {
	if len(s) != 2 || s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9' {
		return 0, false
	}
	return int(s[0]-'0')*10 + int(s[1]-'0'), true
}
