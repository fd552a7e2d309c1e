"""The device, the network around it, and the home."""

from app.engine.vocabulary.model import fact
from app.engine.vocabulary.sections.base import Section
from app.engine.vocabulary.types import Bandwidth, Code, CodeSet, Count, Day, Flag, Months, OpticalPower, Share
from app.engine.vocabulary.words import DeviceGeneration


class Device(Section, title="Device", json_schema_extra={"x-zh": "终端"}):
    """The handset in use."""

    generation: DeviceGeneration | None = fact("Device generation", "终端制式")
    capabilities: CodeSet | None = fact("Capabilities", "终端能力", "5g_sa, volte, vonr, esim, rcs")
    dual_sim: Flag | None = fact("Dual SIM", "双卡终端", "never evidence by itself")
    age_months: Months | None = fact("Age in months", "终端使用月数")
    changed_on: Day | None = fact("Changed on", "换机日期")


class Network(Section, title="Network", json_schema_extra={"x-zh": "网络"}):
    """The quality this line met in the last 30 days."""

    dropped_call_rate: Share | None = fact("Dropped-call rate", "掉话率", "30 days")
    calls_30d: Count | None = fact("Calls in 30 days", "通话次数", "guards the rate against small numbers")
    poor_session_share: Share | None = fact("Share of poor data sessions", "上网质差占比", "30 days")
    camp_5g_share: Share | None = fact("Share of time on 5G", "5G驻留比")
    area_id: Code | None = fact("Area", "质差小区/区域", "coarse; location, for handling faults only")
    fix_planned_on: Day | None = fact("Fix planned on", "预计整改日期")


class Home(Section, title="Home", json_schema_extra={"x-zh": "家庭"}):
    """Broadband and the lines of the household's contract."""

    has_broadband: Flag | None = fact("Has our broadband", "本网宽带")
    resource_ok: Flag | None = fact("A line can be had", "有线路资源", "no offer without a free port")
    bandwidth_mbps: Bandwidth | None = fact("Contracted bandwidth", "签约带宽")
    measured_mbps: Bandwidth | None = fact("Measured bandwidth", "实测速率")
    optical_dbm: OpticalPower | None = fact("Optical power", "光功率")
    drops_7d: Count | None = fact("Drops in 7 days", "近7天掉线次数")
    family_lines: Count | None = fact("Family lines", "家庭成员号码数", "contract lines, not demography")
    in_fusion: Flag | None = fact("In a fusion contract", "融合成员")
    fttr: Flag | None = fact("Fibre to the room", "全屋光纤")


class Incident(Section, title="Incident", json_schema_extra={"x-zh": "大面积故障"}):
    """A fault over an area, worked out over the network and passed in."""

    active: Flag | None = fact("Incident in the area", "区域大面积故障", "computed over the network, passed in")
    expected_end: Day | None = fact("Expected end", "预计恢复时间")
