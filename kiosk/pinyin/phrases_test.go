package pinyin

import (
	"slices"
	"strings"
	"testing"
)

// phrases are what visitors write in a rating or look for, with the letters they type.
const phrases = `
办事效率很高 banshixiaolvhengao
窗口态度不好 chuangkoutaidubuhao
等了很久 denglehenjiu
排队时间太长 paiduishijiantaichang
工作人员很热情 gongzuorenyuanhenreqing
服务态度很好 fuwutaiduhenhao
材料一次说不清楚 cailiaoyicishuobuqingchu
跑了三趟还没办成 paolesantanghaimeibancheng
打印机没纸 dayinjimeizhi
机器不好用 jiqibuhaoyong
系统太慢了 xitongtaimanle
流程太复杂 liuchengtaifuza
希望简化手续 xiwangjianhuashouxu
没有人接电话 meiyourenjiedianhua
中午没有人值班 zhongwumeiyourenzhiban
态度冷淡 taidulengdan
讲解很耐心 jiangjiehennaixin
一次就办好了 yicijiubanhaole
非常满意 feichangmanyi
不太满意 butaimanyi
收费不合理 shoufeibuheli
没有一次性告知 meiyouyicixinggaozhi
要求提供多余的材料 yaoqiutigongduoyudecailiao
停车不方便 tingchebufangbian
环境干净整洁 huanjingganjingzhengjie
指示牌看不懂 zhishipaikanbudong
网上办不了 wangshangbanbuliao
超过承诺时间 chaoguochengnuoshijian
回复很及时 huifuhenjishi
希望增加窗口 xiwangzengjiachuangkou
谢谢你们 xiexienimen
推来推去 tuilaituiqu
叫号太慢 jiaohaotaiman
业务不熟练 yewubushulian
服务周到 fuwuzhoudao
营业执照 yingyezhizhao
食品经营许可 shipinjingyingxuke
公司注销登记 gongsizhuxiaodengji
变更法定代表人 biangengfadingdaibiaoren
社会保险登记 shehuibaoxiandengji
住房公积金 zhufanggongjijin
税务登记 shuiwudengji
施工许可证 shigongxukezheng
建设用地规划 jiansheyongdiguihua
环境影响评价 huanjingyingxiangpingjia
消防验收 xiaofangyanshou
卫生许可证 weishengxukezheng
人才引进 rencaiyinjin
居住证办理 juzhuzhengbanli
不动产登记 budongchandengji
身份证复印件 shenfenzhengfuyinjian
授权委托书 shouquanweituoshu
租赁合同 zulinhetong
公章刻制 gongzhangkezhi
银行开户 yinhangkaihu
劳动合同备案 laodonghetongbeian
外商投资企业 waishangtouziqiye
高新技术企业认定 gaoxinjishuqiyerending
道路运输经营 daoluyunshujingying
医疗器械经营 yiliaoqixiejingying
知识产权保护 zhishichanquanbaohu
个体工商户 getigongshanghu
营业执照 yyzz
身份证 sfz
社会保险 shbx
法定代表人 fddbr
公积金 gjj
工作人员 gzry
效率很高 xiaolvhg
办理进度 banlijd
`

func dict(t testing.TB) *Dictionary {
	t.Helper()
	d, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// Nine of ten phrases are on the first page of nine candidates once all letters are typed.
//
// The list came before the words of hall.txt, and its misses were looked at as these were collected. So the rate of the bare
// dictionary is printed, too: it is what to expect of phrases that nobody thought of.
func TestPhrasesOnFirstPage(t *testing.T) {
	bare, err := decode(packed)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name string
		d    *Dictionary
		want int // percent
	}{{"bare dictionary", bare, 80}, {"with words of halls", dict(t), 90}} {
		t.Run(c.name, func(t *testing.T) { firstPage(t, c.d, c.want) })
	}
}

func firstPage(t *testing.T, d *Dictionary, percent int) {
	var all, page, top int
	for line := range strings.Lines(strings.TrimSpace(phrases)) {
		want, letters, _ := strings.Cut(strings.TrimSpace(line), " ")
		var got []string
		for _, c := range d.Candidates(letters, perPage) {
			got = append(got, c.Text)
		}
		all++
		switch slices.Index(got, want) {
		case -1:
			t.Logf("missed %s (%s): %q", want, letters, got)
		case 0:
			top++
			page++
		default:
			page++
		}
	}
	t.Logf("%d phrases: %d (%d %%) on the first page, %d (%d %%) first", all, page, 100*page/all, top, 100*top/all)
	if 100*page < percent*all {
		t.Errorf("%d of %d phrases on the first page, want %d %%", page, all, percent)
	}
}
