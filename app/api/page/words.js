"use strict";

/* exported WORDS, TYPES */

const WORDS = {
  en: {
    key: "API key or token", first: "Six calls to begin with", send: "Send", find: "Find", all: "Every call", document: "the document",
    first_why: "Each can be changed and sent. What one answers, the next goes on with: the refusal is told of the desktop's decision above it.",
    example: "example", body: "body", roles: "roles", everybody: "everybody", answers: "statuses", same: "the same with curl",
    language: "中文", sending: "sending …", failed: "nothing answers", empty: "an empty answer", runs: "pack",
    given: "fields of the request", told: "fields of the answer", required: "required", list: "list of ", any: "any name", default: "left out",
    length: "at most {} characters", most: "at most {}", save: "save", bytes: "bytes", colon: ": ", find_none: "no call is called so",
    sure: "This cannot be taken back here. Send it?",
    english: "Descriptions and the answers' messages are in English.",
    development: "DEVELOPMENT MODE: there are no callers. Everybody who reaches this address may do everything, and what is sent here is recorded.",
    steps: ["A desktop: somebody calls about a bill", "The app: what to show the customer who opened it", "A refusal, and the next step",
      "A batch, line by line", "TM Forum TMF680: recommendations", "An auditor: searching the record"],
    groups: ["Deciding", "Decisions on record", "For customers", "The record", "Persons", "Campaigns", "Packs", "Webhooks", "TM Forum", "The service"],
  },
  zh: {
    key: "API 密钥或令牌", first: "先试这六个调用", send: "发送", find: "查找", all: "全部调用", document: "接口文档",
    first_why: "内容可改，改完即可发送。前一个的结果会带到下一个：“客户拒绝”说的就是上面坐席的那次决策。",
    example: "示例", body: "请求体", roles: "角色", everybody: "所有人", answers: "返回状态", same: "等同的 curl 命令",
    language: "English", sending: "发送中……", failed: "没有响应", empty: "返回内容为空", runs: "规则包",
    given: "请求字段", told: "返回字段", required: "必填", list: "列表：", any: "任意名称", default: "缺省",
    length: "最长{}个字符", most: "最多{}项", save: "保存", bytes: "字节", colon: "：", find_none: "没有符合的调用",
    sure: "此操作在这里无法撤销，确定发送吗？",
    english: "操作、参数和事实均有中文名称；详细说明及服务返回的报错信息为英文。",
    development: "开发模式：尚未添加任何调用方。凡能访问本地址者均可执行一切操作；在此发送的请求会留下记录。",
    steps: ["坐席桌面：客户来电咨询账单", "App：客户打开时展示什么", "客户拒绝，以及下一步", "批量：逐行决策", "TM Forum TMF680：推荐查询", "审计：检索记录"],
    groups: ["决策", "已记录的决策", "客户自助", "记录", "个人权利", "营销活动", "规则包", "Webhook 通知", "TM Forum", "服务状态"],
  },
};
const TYPES = {
  en: { string: "text", integer: "whole number", number: "number", boolean: "true or false", object: "object", array: "list", "date-time": "time", date: "date", binary: "file" },
  zh: { string: "文本", integer: "整数", number: "数值", boolean: "布尔", object: "对象", array: "列表", "date-time": "时间", date: "日期", binary: "文件" },
};
