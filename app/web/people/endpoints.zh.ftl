### 登录、个人资料、成员。

sign_in = 登录
by_provider = 用公司账号登录
link_once = 此链接可在本浏览器登录一次。
how = 用链接登录。工作区管理员可在成员页面创建链接，命令行也可以：
again = 会话已结束的成员：

other_workspace = 进入另一个工作区
choose_workspace = 选择工作区
no_workspace = 您的地址不是任何工作区的成员，请管理员邀请。

language = 语言
of_browser = 与浏览器相同
save = 保存
everywhere = 在所有浏览器退出登录

members = 成员
link_for = { $email } 的登录链接。只显示这一次，可用一次，七天后失效：
copy = 复制
email = 电子邮件地址
name = 姓名
role = 角色
role_of = { $name } 的角色
joined = 首次登录
not_yet = 尚未登录
acts = 操作
new_link = 新链接
sign_member_out = 全部退出
remove = 移除
invite = 邀请
roles = 访客可查看；成员还可对客户采取行动；管理员还可管理成员与设置。
role_viewer = 访客
role_member = 成员
role_admin = 管理员
