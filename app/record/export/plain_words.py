"""The words in which customers read of decisions about them, in English and Chinese."""

from __future__ import annotations

from app.engine.terms import Words

TEXT: Words = {
    "head": (
        "On {at} our system checked what it could usefully suggest to you {where}.",
        "{at}，系统为您评估了可通过{where}提供的服务建议。",
    ),
    "wrote": ("The suggestion: “{text}”", "建议内容：“{text}”"),
    "tariff": ("We suggested {name}.", "我们向您推荐了{name}。"),
    "suggested": ("We suggested “{name}”.", "我们向您建议了“{name}”。"),
    "rests on": ("It is based on what we have on record about {sections}.", "依据的信息：{sections}。"),
    "marketing": (
        "It is an offer. You see offers because you agreed to receive them.",
        "这是一项营销推荐，因您同意接收营销信息而提供。",
    ),
    "service": ("It is a service message, not advertising.", "这是一项服务，不是营销。"),
    "refused for good": (
        "You asked us not to suggest it again. We will not, unless you change your mind and tell us.",
        "您已选择不再接受此项推荐；除非您撤回该选择，我们不会再次推荐。",
    ),
    "refuse": (
        "At any time you can say no to a suggestion, to a channel, to all offers or to the use of your profile, and you can ask for a"
        " person to decide instead. It is free and takes effect with the next suggestion.",
        "您可以随时拒绝某项推荐、某个渠道或全部营销信息，可以拒绝我们使用您的个人画像，也可以要求由人工决定。"
        "以上均不收费，自下一次推荐起生效。",
    ),
    "unprofiled": ("As you asked, your profile was not used for offers.", "按您的意愿，营销推荐未使用您的个人画像。"),
    "for our people": (
        "The suggestions went to the people serving you, so that they could help you better.",
        "这次的服务建议提供给了为您服务的工作人员。",
    ),
    "rules gone": (
        "The rules in force at the time can no longer be run, so we cannot show here what was suggested. Ask us, and a person will look it"
        " up for you.",
        "当时依据的规则已无法运行，此处不能说明推荐内容；如需了解，请联系我们由人工查询。",
    ),
}
NOTHING: Words = {
    "port_out_in_progress": (
        "We suggested nothing: you are moving your number to another operator, and all we do is help with that.",
        "您正在办理携号转网，我们没有作推荐，只提供办理所需的协助。",
    ),
    "account_closed": ("We suggested nothing: your account is closed or being closed.", "您的账户已销户或正在销户，我们没有作推荐。"),
    "let_go": ("We suggested nothing: you had told us that you wanted to leave.", "您已表示要离网，我们没有再作推荐。"),
    "refused": ("We suggested nothing more: you had said no.", "您已表示不需要，我们没有再作推荐。"),
    "suppressed": (
        "We suggested nothing: it was not a good time, or you had asked us not to.",
        "当时不宜打扰，或您不希望接收，我们没有作推荐。",
    ),
    "guardrail": ("We suggested nothing: the rules that protect customers did not allow it.", "按照保护用户权益的规定，我们没有作推荐。"),
    "unknown": ("We suggested nothing: we did not know enough to make a sensible suggestion.", "我们掌握的信息不足，没有作推荐。"),
    "not_applicable": (
        "We suggested nothing: there was nothing useful for you at the time.",
        "当时没有适合您的内容，我们没有作推荐。",
    ),
}
"""Why nothing was suggested, by the cause."""
BECAME: Words = {
    "shown": ("You saw it on {at}.", "已于{at}向您展示。"),
    "sent": ("It was sent to you on {at}.", "已于{at}发送给您。"),
    "accepted": ("You accepted it on {at}.", "您于{at}接受。"),
    "refused": ("You refused it on {at}.", "您于{at}拒绝。"),
    "ignored": ("You did not respond to it.", "您未作回应。"),
    "activated": ("It took effect on {at}.", "已于{at}办理生效。"),
}
"""What became of a suggestion, by the outcome."""
CHOICES: Words = {
    "no_marketing": ("no offers and no advertising", "不接收营销信息"),
    "no_personalisation": ("no use of your profile for offers", "营销推荐不使用个人画像"),
    "no_channel": ("no unsolicited contact through {about}", "不通过{about}主动联系"),
    "no_action": ("don’t suggest again: {about}", "不再推荐：{about}"),
    "human_review": ("a person decides, not a computer alone", "由人工决定，不仅凭自动决策"),
}
"""What somebody chose."""
GONE = ("a suggestion that is no longer made", "已不再提供的一项推荐")
"""An action that the pack in force does not know."""
WHERE: Words = {
    "call_centre": ("through our call centre", "客服热线"),
    "robot": ("through our automated assistant", "智能客服"),
    "outbound_call": ("by phone", "电话"),
    "video_desk": ("at our video desk", "视频客服"),
    "app": ("in the app", "App"),
    "web": ("on our website", "网站"),
    "sms_service": ("by service text message", "服务短信"),
    "sms_marketing": ("by marketing text message", "营销短信"),
    "shop": ("in one of our shops", "营业厅"),
    "account_manager": ("through your account manager", "客户经理"),
    "field": ("during a home visit", "上门服务"),
    "social": ("by social messaging", "社交消息"),
    "email": ("by e-mail", "电子邮件"),
}
"""Where a suggestion reaches somebody, by the channel."""
DATA: Words = {
    "account": ("your account", "号码与账户"),
    "holder": ("the registered holder", "机主信息"),
    "plan": ("your plan", "套餐"),
    "services": ("your services", "已订业务"),
    "contract": ("your contract", "合约"),
    "usage": ("your usage", "用量"),
    "now": ("the current billing month", "当前账期"),
    "billing": ("your bills", "账单"),
    "pay": ("your payments", "缴费"),
    "device": ("your phone", "手机终端"),
    "network": ("your network quality", "网络质量"),
    "home": ("your home internet", "家庭宽带"),
    "cases": ("your complaints and fault reports", "投诉与报障"),
    "care": ("our earlier contacts with you", "服务关怀记录"),
    "points": ("your points", "积分"),
    "digital": ("your use of our app and website", "线上使用情况"),
    "declared": ("what you told us yourself", "您告知的情况"),
    "port": ("moving your number", "携号转网办理情况"),
    "incident": ("faults in your area", "区域故障"),
}
"""What is known of somebody, by the section that has it."""
