# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_pforge_global_optspecs
    string join \n deployment= root= github-url= json q/quiet v/verbose color= no-input log-format= h/help V/version
end

function __fish_pforge_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_pforge_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_pforge_using_subcommand
    set -l cmd (__fish_pforge_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c pforge -n "__fish_pforge_needs_command" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_needs_command" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_needs_command" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_needs_command" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_needs_command" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_needs_command" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_needs_command" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_needs_command" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_needs_command" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_needs_command" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_needs_command" -s V -l version -d 'Print version'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "demo" -d 'Show the path of a delivery, offline, from webhook to check run'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "serve" -d 'Run the webhook server'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "init-db" -d 'Register a feedstock and the default bakery with a server'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "emulate" -d 'Run a local GitHub for Apps, without any network'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "openapi" -d 'Print the OpenAPI document of the server'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "completions" -d 'Print the completion script of a shell'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "api-key" -d 'Write a new API key into the config of a deployment'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "secrets" -d 'Encrypted files: make, open, edit, share and check them'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "db" -d 'The schema of the database'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "jobs" -d 'The work queue of a server'
complete -c pforge -n "__fish_pforge_needs_command" -f -a "config" -d 'The configuration'
complete -c pforge -n "__fish_pforge_using_subcommand demo" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand demo" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand demo" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand demo" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand demo" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand demo" -l keep -d 'Stay up after the story and print the addresses; Ctrl-C ends'
complete -c pforge -n "__fish_pforge_using_subcommand demo" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand demo" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand demo" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand demo" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l database-url -d 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]' -r
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l listen -d 'Address to listen on; port 0 takes any free one [env: PFORGE_LISTEN] [default: 127.0.0.1:8000]' -r
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l workers -d 'Jobs at a time; 0 only receives [env: PFORGE_WORKERS] [default: 4]' -r
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l drain -d 'How long a shutdown waits for requests and jobs [env: PFORGE_DRAIN] [default: 20s]' -r
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l lease -d 'How long the jobs of a server that died stay with it [default: 30s]' -r
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l allow-sqlite -d 'Accept SQLite for prod and staging'
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l no-migrate -d 'Do not migrate; refuse a schema that is not at this pforge\'s version'
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand serve" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand serve" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand serve" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand serve" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -l bakery -d 'Name of the bakery, if the server has none yet' -r
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand init-db" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -l listen -d 'Address to listen on; port 0 takes any free one' -r
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -l seed -d 'What is there at the start, as YAML or JSON; a small world with two people when left out' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand emulate" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand openapi" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand completions" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand completions" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand completions" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand completions" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand completions" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand completions" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand completions" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand completions" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand completions" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand completions" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -l show -d 'Print the key'
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand api-key" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "keygen" -d 'Make an age identity: the key that opens files'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "encrypt" -d 'Encrypt files, so that every sops opens them'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "decrypt" -d 'Decrypt files'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "edit" -d 'Edit an encrypted file, or one value of it, in your editor'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "get" -d 'Show one value'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "set" -d 'Change or add one value; nothing else in the file changes'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "unset" -d 'Take one value or section out; nothing else in the file changes'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "rotate" -d 'Encrypt files anew with a new data key'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "status" -d 'Show who can open files, what is encrypted, and whether they are whole'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "check" -d 'Check that files are encrypted with SOPS, whole and unchanged'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "exec" -d 'Run a program with the values in its environment; nothing is written to disk'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "diff" -d 'Show which keys differ between two versions of a file; values stay masked'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "merge" -d 'Merge two versions of an encrypted file: git\'s merge driver'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "textconv" -d 'Print a file as git diff is to show it: a line for each key, values masked'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "install-hooks" -d 'Guard a git repository: refuse secrets in clear, diff and merge encrypted files by key'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and not __fish_seen_subcommand_from keygen encrypt decrypt edit get set unset rotate status check exec diff merge textconv install-hooks recipients" -f -a "recipients" -d 'Who can open files'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -s o -l output -d 'The file to make; - is standard output' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from keygen" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -s o -l output -d 'Write to this file instead of standard output' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l filename -l filename-override -d 'What standard input would be called as a file: decides format, rules and recipients' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l input-type -d 'The format of what is read: yaml, json, dotenv, ini, binary [default: by the file\'s name]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l output-type -d 'The format of what is written [default: that of the input]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l indent -d 'Spaces per level of what is written [default: YAML 4, JSON a tab]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -s a -l age -l recipient -d 'A recipient, or several between commas; repeat for more [env: SOPS_AGE_RECIPIENTS]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l recipients-file -d 'A file of recipients, one a line; repeat for more' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l config -d 'The .sops.yaml to use [env: SOPS_CONFIG] [default: the nearest above FILE]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l shamir-threshold -d 'How many key groups open the file [default: all of them]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l unencrypted-suffix -d 'All but what stands below a key with this ending' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l encrypted-suffix -d 'Only what stands below a key with this ending' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l unencrypted-regex -d 'All but what stands below a key that matches' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l encrypted-regex -d 'Only what stands below a key that matches' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l unencrypted-comment-regex -d 'All but what follows a comment that matches' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l encrypted-comment-regex -d 'Only what follows a comment that matches' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l all -d 'Every file in secrets/'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -s i -l in-place -d 'Replace the files, each as a whole or not at all'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l fresh -d 'Encrypt every value anew, also what was encrypted before'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l mac-only-encrypted -d 'Let the integrity check cover the encrypted values only'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from encrypt" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -s o -l output -d 'Write to this file instead of standard output' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l filename -l filename-override -d 'What standard input would be called as a file: decides format, rules and recipients' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l input-type -d 'The format of what is read: yaml, json, dotenv, ini, binary [default: by the file\'s name]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l output-type -d 'The format of what is written [default: that of the input]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l indent -d 'Spaces per level of what is written [default: YAML 4, JSON a tab]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l extract -d 'Only the value at this path: github_app.id, hosts[0], or ["github_app"]["id"]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l config -d 'The .sops.yaml that tells the indentation [env: SOPS_CONFIG] [default: the nearest above FILE]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l all -d 'Every file in secrets/'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -s i -l in-place -d 'Replace the files, each as a whole or not at all'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l ignore-mac -d 'Warn instead of failing when the integrity check fails'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from decrypt" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -s a -l age -l recipient -d 'A recipient, or several between commas; repeat for more [env: SOPS_AGE_RECIPIENTS]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l recipients-file -d 'A file of recipients, one a line; repeat for more' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l config -d 'The .sops.yaml to use [env: SOPS_CONFIG] [default: the nearest above FILE]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l shamir-threshold -d 'How many key groups open the file [default: all of them]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l unencrypted-suffix -d 'All but what stands below a key with this ending' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l encrypted-suffix -d 'Only what stands below a key with this ending' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l unencrypted-regex -d 'All but what stands below a key that matches' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l encrypted-regex -d 'Only what stands below a key that matches' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l unencrypted-comment-regex -d 'All but what follows a comment that matches' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l encrypted-comment-regex -d 'Only what follows a comment that matches' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l resume -d 'Take up the text that could not be saved the last time'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l ignore-mac -d 'Open the file although its integrity check fails; saving it makes a new one'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l mac-only-encrypted -d 'Let the integrity check cover the encrypted values only'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from edit" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -s f -l file -d 'The file [default: the deployment\'s secrets/config.<app>.yaml]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -l clear-after -d 'When the clipboard is cleared again; 0s never does' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -l copy -d 'Put it on the clipboard instead; tell its fingerprint only'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from get" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l from-file -d 'Read the value from a file' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -s t -l type -d 'What it is: text, int, float, bool, null, json' -r -f -a "text\t'Text, whatever it looks like'
int\t'A whole number'
float\t'A number'
bool\t'true or false'
null\t'Nothing; never encrypted'
json\t'JSON: any of these, a list, or a section'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -s f -l file -d 'The file [default: the deployment\'s secrets/config.<app>.yaml]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l stdin -d 'Read the value from standard input'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l exact -d 'Keep the line break at the end of a single line'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -s f -l file -d 'The file [default: the deployment\'s secrets/config.<app>.yaml]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -l idempotent -d 'Do not mind when it is not there'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from unset" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l add-age -d 'Encrypt for this recipient, too; repeat for more' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l rm-age -d 'Encrypt for this recipient no more: its key, or its name in age-recipients.txt' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l all -d 'Every encrypted file in secrets/'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from rotate" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -l staged -d 'Check what is staged in git instead of files'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -l require-mac -d 'Fail where no identity is there to verify the MAC'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -s f -l file -d 'The file [default: the deployment\'s secrets/config.<app>.yaml]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l only -d 'Only the values at or below this path; repeat for more' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l prefix -d 'Put this in front of every name' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l no-flatten -d 'Only top-level values, under their own names, as sops exec-env does'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l pristine -d 'Give the program these variables and no other'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from exec" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -l show -d 'Show the values themselves'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -l exit-code -d 'Exit with 1 when there are differences'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from merge" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -l show -d 'Print the plaintext'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from textconv" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l repo -d 'The repository [default: that of the working directory]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l dry-run -d 'Tell what would be done'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l uninstall -d 'Take everything out again'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from install-hooks" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -f -a "list" -d 'Show who can open files'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -f -a "add" -d 'Let somebody open files'
complete -c pforge -n "__fish_pforge_using_subcommand secrets; and __fish_seen_subcommand_from recipients" -f -a "remove" -d 'Let somebody open files no more'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -f -a "migrate" -d 'Bring the schema to the version of this pforge'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -f -a "status" -d 'List the migrations and whether each is applied'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -f -a "rollback" -d 'Undo the last migrations, newest first'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -f -a "new" -d 'Write the files of a new migration, for both databases'
complete -c pforge -n "__fish_pforge_using_subcommand db; and not __fish_seen_subcommand_from migrate status rollback new wait" -f -a "wait" -d 'Wait until the database answers'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l database-url -d 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l lock-timeout -d 'How long to wait for another process that migrates' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l allow-sqlite -d 'Accept SQLite for prod and staging'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from migrate" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l database-url -d 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l allow-sqlite -d 'Accept SQLite for prod and staging'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l exit-code -d 'Exit with 1 unless every migration is applied and unchanged'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l database-url -d 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l steps -d 'How many to undo' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l lock-timeout -d 'How long to wait for another process that migrates' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l allow-sqlite -d 'Accept SQLite for prod and staging'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -s y -l yes -d 'Do not ask'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from rollback" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from new" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l database-url -d 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l timeout -d 'How long to wait' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l allow-sqlite -d 'Accept SQLite for prod and staging'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand db; and __fish_seen_subcommand_from wait" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -f -a "list" -d 'List jobs, newest first'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -f -a "show" -d 'Show all that is known of a job'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -f -a "retry" -d 'Put dead jobs back in the queue, with fresh attempts'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and not __fish_seen_subcommand_from list show retry drop" -f -a "drop" -d 'Delete jobs that are not running'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l server -d 'The server [env: PFORGE_SERVER] [default: http://127.0.0.1:8000]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l state -d 'Only this state: ready, running, done, dead' -r -f -a "ready\t''
running\t''
done\t''
dead\t''"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l kind -d 'Only this kind, such as recipes.synchronize' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l key -d 'Only this key, such as owner/repo#7' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l limit -d 'At most this many, 1 to 1000' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l after -d 'Continue after this cursor: `next` of the page before' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -l server -d 'The server [env: PFORGE_SERVER] [default: http://127.0.0.1:8000]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -l server -d 'The server [env: PFORGE_SERVER] [default: http://127.0.0.1:8000]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -l force -d 'Also run jobs again that are done'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from retry" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -l server -d 'The server [env: PFORGE_SERVER] [default: http://127.0.0.1:8000]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -s y -l yes -d 'Do not ask'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand jobs; and __fish_seen_subcommand_from drop" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c pforge -n "__fish_pforge_using_subcommand config; and not __fish_seen_subcommand_from show" -f -a "show" -d 'Show every setting with where it came from; secrets as fingerprints'
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -l deployment -d 'The deployment: an App\'s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]' -r
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -l root -d 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]' -r -F
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -l github-url -d 'GitHub\'s API [env: GITHUB_API_URL] [default: https://api.github.com]' -r
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -l color -d 'When to use colour: auto, always, never; NO_COLOR is honoured' -r -f -a "auto\t'On a terminal, unless `NO_COLOR` says otherwise'
always\t'Always'
never\t'Never'"
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -l log-format -d 'Form of log lines: text, json' -r -f -a "text\t'For people'
json\t'One JSON object a line'"
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -l json -d 'Print JSON: one document, or one object a line for streams'
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -s q -l quiet -d 'Tell nothing but data, warnings and errors'
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -s v -l verbose -d 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]'
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -l no-input -d 'Never ask; fail where an answer is needed'
complete -c pforge -n "__fish_pforge_using_subcommand config; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
