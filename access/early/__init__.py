"""Early access: from a request to an account, without anybody learning who is on the list.

`asking` takes requests, `listing` handles what a person does with their own row, `gate` is what the sign-up asks,
`waves` invites, `funnel` counts, `sheets` reads and writes CSV. All links in mails are `tokens`.
"""
