"""The words in which customers read of decisions about them, in English and Chinese."""

from __future__ import annotations

from app.engine.terms import Words

TEXT: Words = {
    "head": ("On {at} we looked, for {channel}, at what could be of use to you.", "{at}，我们通过{channel}为您作过一次服务推荐。"),
    "suggested": ("We suggested: {name}.", "我们向您推荐：{name}。"),
    "rests on": ("This rests on your {sections}.", "依据的信息：{sections}。"),
    "marketing": (
        "It is an offer, which you are shown because you agreed to receive offers.",
        "这是一项营销推荐，因您同意接收营销信息而提供。",
    ),
    "service": ("It is a service, not advertising.", "这是一项服务，不是营销。"),
    "refused for good": (
        "You refused it for good; we will not suggest it again unless you take that back.",
        "您已选择不再接受此项，在您撤回该选择之前我们不会再次推荐。",
    ),
    "refuse": (
        "At any time you can refuse a suggestion, a channel, all offers or the use of your profile, and ask that a person decides. It costs"
        " nothing and holds from the next suggestion on.",
        "您可以随时拒绝某项推荐、某个渠道、全部营销信息，或拒绝使用您的个人画像，也可以要求由人工决定。拒绝不收取任何费用，自下一次推荐起生效。",
    ),
    "unprofiled": ("Your profile was not used for offers, as you wished.", "按您的意愿，营销推荐未使用您的个人画像。"),
    "for our people": (
        "Our people were told how best to help you.",
        "这次的服务建议提供给了为您服务的工作人员。",
    ),
    "rules gone": (
        "The rules of that time cannot be run any more, so what was suggested cannot be told here; ask us, and a person will look it up.",
        "当时依据的规则已无法运行，此处不能说明推荐内容；如需了解，请联系我们由人工查询。",
    ),
}
NOTHING: Words = {
    "port_out_in_progress": (
        "Nothing was suggested: you are moving your number to another operator, and we only help with that.",
        "您正在办理携号转网，我们没有作推荐，只提供办理所需的协助。",
    ),
    "account_closed": ("Nothing was suggested: your account is closed or closing.", "您的账户已销户或正在销户，我们没有作推荐。"),
    "let_go": ("Nothing was suggested: you had told us that you want to leave.", "您已表示要离网，我们没有再作推荐。"),
    "refused": ("Nothing more was suggested: you had said no.", "您已表示不需要，我们没有再作推荐。"),
    "suppressed": (
        "Nothing was suggested: it was not the time for it, or you do not want it.",
        "当时不宜打扰，或您不希望接收，我们没有作推荐。",
    ),
    "guardrail": ("Nothing was suggested: the rules that protect you did not permit it.", "按照保护用户的规定，我们没有作推荐。"),
    "unknown": ("Nothing was suggested: too little was known to suggest anything.", "掌握的信息不足，我们没有作推荐。"),
    "not_applicable": (
        "Nothing was suggested: there was nothing that would have been of use to you.",
        "当时没有适合您的内容，我们没有作推荐。",
    ),
}
"""Why nothing was suggested, by the cause."""
BECAME: Words = {
    "shown": ("You were shown it on {at}.", "{at}已向您展示。"),
    "sent": ("It was sent to you on {at}.", "{at}已发送给您。"),
    "accepted": ("You accepted it on {at}.", "您于{at}接受。"),
    "refused": ("You refused it on {at}.", "您于{at}拒绝。"),
    "ignored": ("You did not respond to it.", "您未作回应。"),
    "activated": ("It became effective on {at}.", "{at}已办理生效。"),
}
"""What became of a suggestion, by the outcome."""
CHOICES: Words = {
    "no_marketing": ("no offers and no advertising", "不接收营销信息"),
    "no_personalisation": ("no use of your profile for offers", "营销推荐不使用个人画像"),
    "no_channel": ("nothing unasked through {about}", "不通过{about}打扰"),
    "no_action": ("never again: {about}", "不再推荐：{about}"),
    "human_review": ("a person decides, not the computer alone", "由人工决定，不单独依靠自动决策"),
}
"""What somebody chose."""
GONE = ("a suggestion that is no longer made", "已不再提供的一项推荐")
"""An action that the pack in force does not know."""
