package bench

import (
	"fmt"
	"hash/fnv"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode"

	"yuanban/devices/idcard"
	"yuanban/devices/idnumber"
)

// cardRequest is a card as somebody lays it: what is left out is filled in. What is given is taken as it is, even where it
// contradicts itself, for such cards exist and a reader has to cope; only what a card's memory cannot hold is refused.
type cardRequest struct {
	Kind        string `json:"kind"`
	Name        string `json:"name"`
	EnglishName string `json:"englishName"`
	Sex         string `json:"sex"`
	Nation      string `json:"nation"`
	Birth       string `json:"birth"`
	Address     string `json:"address"`
	Number      string `json:"number"`
	Authority   string `json:"authority"`
	ValidFrom   string `json:"validFrom"`
	ValidTo     string `json:"validTo"` // YYYYMMDD or 长期
	Permanent   *bool  `json:"permanent"`
	PassNumber  string `json:"passNumber"`
	Country     string `json:"country"`
	Issue       string `json:"issue"`
	Link        string `json:"link"`
}

// day is the form of dates on a card.
const day = "20060102"

// kindNames are the kinds of cards, with the names that published test vectors give them.
var kindNames = map[string]idcard.Kind{
	"":         idcard.Resident,
	"resident": idcard.Resident, "hmt": idcard.HMT, "foreign2017": idcard.Foreign2017, "foreign2023": idcard.Foreign2023,
	"hmt_J": idcard.HMT, "foreign_I": idcard.Foreign2017, "foreign_Y": idcard.Foreign2023,
}

// complete makes a whole card out of a request. now decides how old the card is.
func complete(in cardRequest, now time.Time) (idcard.Card, error) {
	kind, ok := kindNames[in.Kind]
	if !ok {
		return idcard.Card{}, oneOf("kind", in.Kind, []string{"resident", "hmt", "foreign2017", "foreign2023"})
	}
	c := idcard.Card{Kind: kind, Name: in.Name, EnglishName: in.EnglishName, Sex: in.Sex, Nation: in.Nation, Birth: in.Birth, Address: in.Address,
		Number: idnumber.Normalise(in.Number), Authority: in.Authority, ValidFrom: in.ValidFrom, ValidTo: in.ValidTo,
		PassNumber: in.PassNumber, Country: in.Country, Issue: in.Issue, Link: in.Link}
	if c.ValidTo == "长期" {
		c.ValidTo, c.Permanent = "", true
	}
	if in.Permanent != nil {
		if c.Permanent && !*in.Permanent || *in.Permanent && c.ValidTo != "" {
			return idcard.Card{}, refuse(http.StatusBadRequest, "cannot make this card: validTo and permanent contradict each other")
		}
		c.Permanent = *in.Permanent
	}
	if err := plain(c); err != nil {
		return idcard.Card{}, err
	}
	fillPerson(&c)
	fillPlace(&c)
	fillDays(&c, now)
	if in.Permanent != nil && !*in.Permanent && c.Permanent {
		c.Permanent, c.ValidTo = false, yearsAfter(c.ValidFrom, 20)
	}
	if _, err := idcard.EncodeCard(c); err != nil {
		return idcard.Card{}, refuse(http.StatusBadRequest, "cannot make this card: %v", err)
	}
	return c, nil
}

// plain refuses what no chip holds: characters that are none, and dates that are no days.
func plain(c idcard.Card) error {
	for _, f := range []struct{ name, text string }{{"name", c.Name}, {"englishName", c.EnglishName}, {"address", c.Address}, {"number", c.Number},
		{"authority", c.Authority}, {"passNumber", c.PassNumber}, {"country", c.Country}, {"issue", c.Issue}, {"link", c.Link}} {
		if strings.ContainsFunc(f.text, func(r rune) bool { return unicode.IsControl(r) || r == unicode.ReplacementChar }) {
			return refuse(http.StatusBadRequest, "cannot make this card: %s contains a character that cannot be printed", f.name)
		}
	}
	for _, f := range []struct{ name, day string }{{"birth", c.Birth}, {"validFrom", c.ValidFrom}, {"validTo", c.ValidTo}} {
		if _, err := time.Parse(day, f.day); f.day != "" && err != nil {
			return refuse(http.StatusBadRequest, "cannot make this card: %s must be a day written YYYYMMDD", f.name)
		}
	}
	return nil
}

// fillPerson fills in name, sex, birth date and number so that they agree with what is given.
func fillPerson(c *idcard.Card) {
	if c.Name == "" && c.EnglishName == "" && c.Number == "" && c.Sex == "" && c.Birth == "" {
		fillFrom(c, usual(c.Kind))
	}
	for _, e := range idcard.Examples() {
		if e.Kind == c.Kind && e.Number == c.Number {
			fillFrom(c, e) // the sex of a published example contradicts its number, as on some genuine cards
		}
	}
	if c.Number != "" {
		birth, sex := told(c.Kind, c.Number)
		c.Birth = first(c.Birth, birth)
		c.Sex = first(c.Sex, sex)
	}
	seed := hash(c.Name + c.EnglishName)
	c.Sex = first(c.Sex, []string{"男", "女"}[seed%2])
	c.Birth = first(c.Birth, time.Date(1960+int(seed%40), time.Month(1+seed/40%12), 1+int(seed/480%28), 0, 0, 0, 0, time.UTC).Format(day))
	c.Country = first(c.Country, map[idcard.Kind]string{idcard.Foreign2017: "KAZ", idcard.Foreign2023: "SGP"}[c.Kind])
	c.Number = first(c.Number, newNumber(c, seed))
	given := map[string]string{"男": "明", "女": "静"}[c.Sex]
	switch c.Kind {
	case idcard.Foreign2017, idcard.Foreign2023:
		c.EnglishName = first(c.EnglishName, map[string]string{"女": "EXAMPLE, JANE"}[c.Sex], "EXAMPLE, JOHN")
		c.Name = first(c.Name, map[string]string{"女": "例简"}[c.Sex], "例约翰")
	default:
		c.Name = first(c.Name, "李"+given, "李明")
	}
}

// told is what a number says of its owner; empty where it is too short to say anything.
func told(kind idcard.Kind, number string) (birth, sex string) {
	switch {
	case kind == idcard.Foreign2017 && len(number) == 15:
		// Two digits of the year: nobody born in this century held such a card as an adult when it was introduced.
		birth = "19" + number[7:13]
	case kind != idcard.Foreign2017 && len(number) == 18:
		birth = number[6:14]
		if d := number[16]; d >= '0' && d <= '9' {
			sex = map[bool]string{true: "男", false: "女"}[d%2 == 1]
		}
	}
	if _, err := time.Parse(day, birth); err != nil {
		birth = ""
	}
	return birth, sex
}

// newNumber makes a number that is right for the card's kind, birth date and sex.
func newNumber(c *idcard.Card, seed uint32) string {
	sequence := 10*(1+int(seed%30)) + 1 // odd for men
	if c.Sex == "女" {
		sequence++
	}
	region := map[idcard.Kind]string{idcard.Resident: "110105", idcard.HMT: "810000", idcard.Foreign2023: "911702"}[c.Kind]
	switch {
	case c.Kind == idcard.HMT && strings.HasPrefix(c.PassNumber, "M"):
		region = "820000"
	case c.Kind == idcard.HMT && c.PassNumber != "" && c.PassNumber[0] >= '0' && c.PassNumber[0] <= '9':
		region = "830000"
	case c.Kind == idcard.Foreign2017:
		head := fmt.Sprintf("%.3s1100%s%d", c.Country+"XXX", c.Birth[2:], seed%10)
		return head + string(idnumber.ForeignCheck(head))
	}
	digits := fmt.Sprintf("%s%s%03d", region, c.Birth, sequence)
	return digits + string(idnumber.ResidentCheck(digits))
}

// fillPlace fills in where the person lives and who issued the card.
func fillPlace(c *idcard.Card) {
	code := fmt.Sprintf("%.2s", c.Number)
	province := first(provinces[code], "北京市")
	switch c.Kind {
	case idcard.Resident:
		c.Nation = first(c.Nation, "汉")
		if strings.HasPrefix(c.Number, "110105") {
			c.Address, c.Authority = first(c.Address, "北京市朝阳区示例路1号"), first(c.Authority, "北京市公安局朝阳分局")
		}
		c.Address = first(c.Address, province+"示例市示例区示例路8号")
		c.Authority = first(c.Authority, "示例市公安局示例分局")
	case idcard.HMT:
		c.Address = first(c.Address, "深圳市南山区示例道2号")
		c.Authority = first(c.Authority, "深圳市公安局南山分局")
		letter := map[string]string{"81": "H0", "82": "M0", "83": "00"}[code]
		c.PassNumber = first(c.PassNumber, first(letter, "H0")+fmt.Sprintf("%07d", hash(c.Number)%1e7))
		c.Issue = first(c.Issue, "01")
	case idcard.Foreign2017:
		c.Authority = first(c.Authority, "1100")
		c.Issue = first(c.Issue, "01")
	case idcard.Foreign2023:
		c.Issue = first(c.Issue, "00")
		c.Link = first(c.Link, "000")
	}
}

// fillDays fills in the validity. A card is two years old, unless its owner is younger than that, and valid for as long as its kind
// and the owner's age give (residents: Resident Identity Card Law, article 5).
func fillDays(c *idcard.Card, now time.Time) {
	born, err := time.Parse(day, c.Birth)
	if err != nil {
		return
	}
	from, err := time.Parse(day, c.ValidFrom)
	if err != nil {
		from = time.Date(now.Year()-2, 3, 1, 0, 0, 0, 0, time.UTC)
		if end, err := time.Parse(day, c.ValidTo); err == nil && !end.After(from) {
			from = end.AddDate(-5, 0, 0)
		}
		if from.Before(born) {
			from = born
		}
		c.ValidFrom = from.Format(day)
	}
	if c.Permanent || c.ValidTo != "" {
		return
	}
	years := map[idcard.Kind]int{idcard.HMT: 5, idcard.Foreign2017: 10, idcard.Foreign2023: 10}[c.Kind]
	if years == 0 {
		switch age := from.Year() - born.Year(); {
		case age < 16:
			years = 5
		case age < 26:
			years = 10
		case age < 46:
			years = 20
		default:
			c.Permanent = true
			return
		}
	}
	c.ValidTo = yearsAfter(c.ValidFrom, years)
}

// yearsAfter is the same day some years later.
func yearsAfter(from string, years int) string {
	t, err := time.Parse(day, from)
	if err != nil {
		return ""
	}
	return t.AddDate(years, 0, 0).Format(day)
}

// fillFrom takes from one card what another lacks, but not its validity: that depends on the day.
func fillFrom(c *idcard.Card, from idcard.Card) {
	for _, f := range []struct {
		into *string
		from string
	}{{&c.Name, from.Name}, {&c.EnglishName, from.EnglishName}, {&c.Sex, from.Sex}, {&c.Nation, from.Nation}, {&c.Birth, from.Birth},
		{&c.Address, from.Address}, {&c.Number, from.Number}, {&c.Authority, from.Authority}, {&c.PassNumber, from.PassNumber},
		{&c.Country, from.Country}, {&c.Issue, from.Issue}, {&c.Link, from.Link}} {
		*f.into = first(*f.into, f.from)
	}
}

// first returns the first text that is not empty.
func first(texts ...string) string {
	if i := slices.IndexFunc(texts, func(s string) bool { return s != "" }); i >= 0 {
		return texts[i]
	}
	return ""
}

func hash(s string) uint32 {
	h := fnv.New32a()
	h.Write([]byte(s))
	return h.Sum32() % 1_000_003
}

// provinces by the first two digits of a number (GB/T 2260), for the addresses of invented people.
var provinces = map[string]string{
	"11": "北京市", "12": "天津市", "13": "河北省", "14": "山西省", "15": "内蒙古自治区", "21": "辽宁省", "22": "吉林省", "23": "黑龙江省",
	"31": "上海市", "32": "江苏省", "33": "浙江省", "34": "安徽省", "35": "福建省", "36": "江西省", "37": "山东省", "41": "河南省", "42": "湖北省",
	"43": "湖南省", "44": "广东省", "45": "广西壮族自治区", "46": "海南省", "50": "重庆市", "51": "四川省", "52": "贵州省", "53": "云南省",
	"54": "西藏自治区", "61": "陕西省", "62": "甘肃省", "63": "青海省", "64": "宁夏回族自治区", "65": "新疆维吾尔自治区",
}
