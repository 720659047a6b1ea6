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
