
using namespace System.Management.Automation
using namespace System.Management.Automation.Language

Register-ArgumentCompleter -Native -CommandName 'pforge' -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)

    $commandElements = $commandAst.CommandElements
    $command = @(
        'pforge'
        for ($i = 1; $i -lt $commandElements.Count; $i++) {
            $element = $commandElements[$i]
            if ($element -isnot [StringConstantExpressionAst] -or
                $element.StringConstantType -ne [StringConstantType]::BareWord -or
                $element.Value.StartsWith('-') -or
                $element.Value -eq $wordToComplete) {
                break
        }
        $element.Value
    }) -join ';'

    $completions = @(switch ($command) {
        'pforge' {
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('-V', '-V ', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('--version', '--version', [CompletionResultType]::ParameterName, 'Print version')
            [CompletionResult]::new('demo', 'demo', [CompletionResultType]::ParameterValue, 'Show the path of a delivery, offline, from webhook to check run')
            [CompletionResult]::new('serve', 'serve', [CompletionResultType]::ParameterValue, 'Run the webhook server')
            [CompletionResult]::new('init-db', 'init-db', [CompletionResultType]::ParameterValue, 'Register a feedstock and the default bakery with a server')
            [CompletionResult]::new('emulate', 'emulate', [CompletionResultType]::ParameterValue, 'Run a local GitHub for Apps, without any network')
            [CompletionResult]::new('openapi', 'openapi', [CompletionResultType]::ParameterValue, 'Print the OpenAPI document of the server')
            [CompletionResult]::new('completions', 'completions', [CompletionResultType]::ParameterValue, 'Print the completion script of a shell')
            [CompletionResult]::new('db', 'db', [CompletionResultType]::ParameterValue, 'The schema of the database')
            [CompletionResult]::new('jobs', 'jobs', [CompletionResultType]::ParameterValue, 'The work queue of a server')
            [CompletionResult]::new('config', 'config', [CompletionResultType]::ParameterValue, 'The configuration')
            break
        }
        'pforge;demo' {
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--keep', '--keep', [CompletionResultType]::ParameterName, 'Stay up after the story and print the addresses; Ctrl-C ends')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help (see more with ''--help'')')
            break
        }
        'pforge;serve' {
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]')
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Address to listen on; port 0 takes any free one [env: PFORGE_LISTEN] [default: 127.0.0.1:8000]')
            [CompletionResult]::new('--workers', '--workers', [CompletionResultType]::ParameterName, 'Jobs at a time; 0 only receives [env: PFORGE_WORKERS] [default: 4]')
            [CompletionResult]::new('--drain', '--drain', [CompletionResultType]::ParameterName, 'How long a shutdown waits for requests and jobs [env: PFORGE_DRAIN] [default: 20s]')
            [CompletionResult]::new('--lease', '--lease', [CompletionResultType]::ParameterName, 'How long the jobs of a server that died stay with it [default: 30s]')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--allow-sqlite', '--allow-sqlite', [CompletionResultType]::ParameterName, 'Accept SQLite for prod and staging')
            [CompletionResult]::new('--no-migrate', '--no-migrate', [CompletionResultType]::ParameterName, 'Do not migrate; refuse a schema that is not at this pforge''s version')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;init-db' {
            [CompletionResult]::new('--bakery', '--bakery', [CompletionResultType]::ParameterName, 'Name of the bakery, if the server has none yet')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;emulate' {
            [CompletionResult]::new('--listen', '--listen', [CompletionResultType]::ParameterName, 'Address to listen on; port 0 takes any free one')
            [CompletionResult]::new('--seed', '--seed', [CompletionResultType]::ParameterName, 'What is there at the start, as YAML or JSON; a small world with two people when left out')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;openapi' {
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;completions' {
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;db' {
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('migrate', 'migrate', [CompletionResultType]::ParameterValue, 'Bring the schema to the version of this pforge')
            [CompletionResult]::new('status', 'status', [CompletionResultType]::ParameterValue, 'List the migrations and whether each is applied')
            [CompletionResult]::new('rollback', 'rollback', [CompletionResultType]::ParameterValue, 'Undo the last migrations, newest first')
            [CompletionResult]::new('new', 'new', [CompletionResultType]::ParameterValue, 'Write the files of a new migration, for both databases')
            [CompletionResult]::new('wait', 'wait', [CompletionResultType]::ParameterValue, 'Wait until the database answers')
            break
        }
        'pforge;db;migrate' {
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another process that migrates')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--allow-sqlite', '--allow-sqlite', [CompletionResultType]::ParameterName, 'Accept SQLite for prod and staging')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;db;status' {
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--allow-sqlite', '--allow-sqlite', [CompletionResultType]::ParameterName, 'Accept SQLite for prod and staging')
            [CompletionResult]::new('--exit-code', '--exit-code', [CompletionResultType]::ParameterName, 'Exit with 1 unless every migration is applied and unchanged')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;db;rollback' {
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]')
            [CompletionResult]::new('--steps', '--steps', [CompletionResultType]::ParameterName, 'How many to undo')
            [CompletionResult]::new('--lock-timeout', '--lock-timeout', [CompletionResultType]::ParameterName, 'How long to wait for another process that migrates')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--allow-sqlite', '--allow-sqlite', [CompletionResultType]::ParameterName, 'Accept SQLite for prod and staging')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;db;new' {
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;db;wait' {
            [CompletionResult]::new('--database-url', '--database-url', [CompletionResultType]::ParameterName, 'The database: sqlite:///abs/path, sqlite:rel/path or postgres://… [env: DATABASE_URL]')
            [CompletionResult]::new('--timeout', '--timeout', [CompletionResultType]::ParameterName, 'How long to wait')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--allow-sqlite', '--allow-sqlite', [CompletionResultType]::ParameterName, 'Accept SQLite for prod and staging')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;jobs' {
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('list', 'list', [CompletionResultType]::ParameterValue, 'List jobs, newest first')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show all that is known of a job')
            [CompletionResult]::new('retry', 'retry', [CompletionResultType]::ParameterValue, 'Put dead jobs back in the queue, with fresh attempts')
            [CompletionResult]::new('drop', 'drop', [CompletionResultType]::ParameterValue, 'Delete jobs that are not running')
            break
        }
        'pforge;jobs;list' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'The server [env: PFORGE_SERVER] [default: http://127.0.0.1:8000]')
            [CompletionResult]::new('--state', '--state', [CompletionResultType]::ParameterName, 'Only this state: ready, running, done, dead')
            [CompletionResult]::new('--kind', '--kind', [CompletionResultType]::ParameterName, 'Only this kind, such as recipes.synchronize')
            [CompletionResult]::new('--key', '--key', [CompletionResultType]::ParameterName, 'Only this key, such as owner/repo#7')
            [CompletionResult]::new('--limit', '--limit', [CompletionResultType]::ParameterName, 'At most this many, 1 to 1000')
            [CompletionResult]::new('--after', '--after', [CompletionResultType]::ParameterName, 'Continue after this cursor: `next` of the page before')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;jobs;show' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'The server [env: PFORGE_SERVER] [default: http://127.0.0.1:8000]')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;jobs;retry' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'The server [env: PFORGE_SERVER] [default: http://127.0.0.1:8000]')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--force', '--force', [CompletionResultType]::ParameterName, 'Also run jobs again that are done')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;jobs;drop' {
            [CompletionResult]::new('--server', '--server', [CompletionResultType]::ParameterName, 'The server [env: PFORGE_SERVER] [default: http://127.0.0.1:8000]')
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('-y', '-y', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--yes', '--yes', [CompletionResultType]::ParameterName, 'Do not ask')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
        'pforge;config' {
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('show', 'show', [CompletionResultType]::ParameterValue, 'Show every setting with where it came from; secrets as fingerprints')
            break
        }
        'pforge;config;show' {
            [CompletionResult]::new('--deployment', '--deployment', [CompletionResultType]::ParameterName, 'The deployment: an App''s name, or prod, staging, review, local [env: PANGEO_FORGE_DEPLOYMENT]')
            [CompletionResult]::new('--root', '--root', [CompletionResultType]::ParameterName, 'The folder with `secrets/` [env: PFORGE_ROOT] [default: the nearest one above]')
            [CompletionResult]::new('--github-url', '--github-url', [CompletionResultType]::ParameterName, 'GitHub''s API [env: GITHUB_API_URL] [default: https://api.github.com]')
            [CompletionResult]::new('--color', '--color', [CompletionResultType]::ParameterName, 'When to use colour: auto, always, never; NO_COLOR is honoured')
            [CompletionResult]::new('--log-format', '--log-format', [CompletionResultType]::ParameterName, 'Form of log lines: text, json')
            [CompletionResult]::new('--json', '--json', [CompletionResultType]::ParameterName, 'Print JSON: one document, or one object a line for streams')
            [CompletionResult]::new('-q', '-q', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('--quiet', '--quiet', [CompletionResultType]::ParameterName, 'Tell nothing but data, warnings and errors')
            [CompletionResult]::new('-v', '-v', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--verbose', '--verbose', [CompletionResultType]::ParameterName, 'Log more; repeat for more [env: PFORGE_LOG, a filter such as pforge=debug,warn]')
            [CompletionResult]::new('--no-input', '--no-input', [CompletionResultType]::ParameterName, 'Never ask; fail where an answer is needed')
            [CompletionResult]::new('-h', '-h', [CompletionResultType]::ParameterName, 'Print help')
            [CompletionResult]::new('--help', '--help', [CompletionResultType]::ParameterName, 'Print help')
            break
        }
    })

    $completions.Where{ $_.CompletionText -like "$wordToComplete*" } |
        Sort-Object -Property ListItemText
}
