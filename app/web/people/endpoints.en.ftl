### Signing in, the own profile, members.

sign_in = Sign in
by_provider = Sign in with your company account
link_once = This link signs you in once, in this browser.
how = You sign in with a link. An admin of your workspace creates one on the page of members, and the command line does too:
again = For a member whose session has ended:

other_workspace = Enter another workspace
choose_workspace = Choose a workspace
no_workspace = Your address is a member of no workspace: ask an admin to invite it.

language = Language
of_browser = as in the browser
save = Save
everywhere = Sign out of every browser

members = Members
link_for = The sign-in link of { $email }. It is shown only now, works once, and ends after seven days:
copy = Copy
email = E-mail address
name = Name
role = Role
role_of = Role of { $name }
joined = First sign-in
not_yet = not yet
acts = Acts
new_link = New link
sign_member_out = Sign out everywhere
remove = Remove
invite = Invite
roles = A viewer reads. A member also acts on accounts. An admin also manages members and settings.
role_viewer = viewer
role_member = member
role_admin = admin
