# SPDX-License-Identifier: MIT
# bash completion of ib-plugins, made by packaging/generate.py from the option tables.
# shellcheck shell=bash disable=SC2207

_check_ib_image()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    --waiting)
        COMPREPLY=($(compgen -W "ok warning critical unknown" -- "$current"))
        return
        ;;
    --none)
        COMPREPLY=($(compgen -W "ok warning critical unknown" -- "$current"))
        return
        ;;
    --timeout-state)
        COMPREPLY=($(compgen -W "ok warning critical unknown" -- "$current"))
        return
        ;;
    --output)
        COMPREPLY=($(compgen -W "text json" -- "$current"))
        return
        ;;
    --phase | --map)
        COMPREPLY=($(compgen -W "PENDING= CREATING= BUILDING= TESTING= DISTRIBUTING= INTEGRATING= AVAILABLE= CANCELLED= FAILED= DEPRECATED= DELETED= DISABLED=" -- "$current"))
        compopt -o nospace 2>/dev/null
        return
        ;;
    --ca-bundle | --config)
        COMPREPLY=($(compgen -f -- "$current"))
        return
        ;;
    --arn | \
        -a | \
        --pipeline | \
        -p | \
        --image | \
        -n | \
        --target | \
        -T | \
        --warning | \
        -w | \
        --critical | \
        -c | \
        --lookback | \
        --limit | \
        --parallel | \
        --region | \
        -r | \
        --profile | \
        --role-arn | \
        --external-id | \
        --endpoint-url | \
        --proxy | \
        --timeout | \
        -t)
        return
        ;;
    esac
    COMPREPLY=($(compgen -W "--arn --pipeline --image --all --target --all-targets --warning --critical --phase --waiting --stuck-only --map --none --lookback --timeout-state --limit --parallel --region --profile --role-arn --external-id --endpoint-url --ca-bundle --proxy --timeout --config --output --diagnose --verbose --version --help" -- "$current"))
}
complete -F _check_ib_image check_ib_image

_ib_cancel_action()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    --waiting)
        COMPREPLY=($(compgen -W "ok warning critical unknown" -- "$current"))
        return
        ;;
    --state)
        COMPREPLY=($(compgen -W "OK WARNING CRITICAL UNKNOWN" -- "$current"))
        return
        ;;
    --state-type)
        COMPREPLY=($(compgen -W "SOFT HARD" -- "$current"))
        return
        ;;
    --on)
        COMPREPLY=($(compgen -W "hard always" -- "$current"))
        return
        ;;
    --after-cancel)
        COMPREPLY=($(compgen -W "nothing retry start-pipeline" -- "$current"))
        return
        ;;
    --syslog)
        COMPREPLY=($(compgen -W "none daemon user auth local0 local1 local2 local3 local4 local5 local6 local7" -- "$current"))
        return
        ;;
    --recheck)
        COMPREPLY=($(compgen -W "none icinga nagios" -- "$current"))
        return
        ;;
    --output)
        COMPREPLY=($(compgen -W "text json" -- "$current"))
        return
        ;;
    --phase)
        COMPREPLY=($(compgen -W "PENDING= CREATING= BUILDING= TESTING= DISTRIBUTING= INTEGRATING= AVAILABLE= CANCELLED= FAILED= DEPRECATED= DELETED= DISABLED=" -- "$current"))
        compopt -o nospace 2>/dev/null
        return
        ;;
    --workflow | --ca-bundle | --config)
        COMPREPLY=($(compgen -f -- "$current"))
        return
        ;;
    --arn | \
        -a | \
        --pipeline | \
        -p | \
        --image | \
        -n | \
        --target | \
        -T | \
        --critical | \
        -c | \
        --max-cancel | \
        --allow | \
        --minimum-age | \
        --confirm-timeout | \
        --attempt | \
        --problem-id | \
        --check-source | \
        --node | \
        --downtime-depth | \
        --limit | \
        --state-dir | \
        --syslog-tag | \
        --host | \
        --service | \
        --region | \
        -r | \
        --profile | \
        --role-arn | \
        --external-id | \
        --endpoint-url | \
        --proxy | \
        --timeout | \
        -t)
        return
        ;;
    esac
    COMPREPLY=($(compgen -W "--arn --pipeline --image --all --target --all-targets --critical --phase --waiting --any-age --max-cancel --allow --minimum-age --age-from-creation --also-distributing --confirm-timeout --dry-run --explain --workflow --state --state-type --attempt --on --problem-id --check-source --node --downtime-depth --skip-in-downtime --resume --sweep --history --limit --state-dir --no-journal --after-cancel --detach --syslog --syslog-tag --recheck --comment --host --service --region --profile --role-arn --external-id --endpoint-url --ca-bundle --proxy --timeout --config --output --diagnose --verbose --version --help" -- "$current"))
}
complete -F _ib_cancel_action ib_cancel_action

_ib_create_action()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    --tests)
        COMPREPLY=($(compgen -W "on off" -- "$current"))
        return
        ;;
    --metadata)
        COMPREPLY=($(compgen -W "on off" -- "$current"))
        return
        ;;
    --scan)
        COMPREPLY=($(compgen -W "on off" -- "$current"))
        return
        ;;
    --output)
        COMPREPLY=($(compgen -W "text json" -- "$current"))
        return
        ;;
    --workflow | --ca-bundle | --config)
        COMPREPLY=($(compgen -f -- "$current"))
        return
        ;;
    --pipeline | \
        -p | \
        --recipe | \
        --container-recipe | \
        --infrastructure | \
        --distribution | \
        --tag | \
        --client-token | \
        --scan-repository | \
        --scan-tag | \
        --image-workflow | \
        --execution-role | \
        --log-group | \
        --wait-timeout | \
        --poll | \
        --region | \
        -r | \
        --profile | \
        --role-arn | \
        --external-id | \
        --endpoint-url | \
        --proxy | \
        --timeout | \
        -t)
        return
        ;;
    esac
    COMPREPLY=($(compgen -W "--pipeline --recipe --container-recipe --infrastructure --distribution --tag --client-token --tests --metadata --scan --scan-repository --scan-tag --image-workflow --execution-role --log-group --wait --wait-timeout --poll --dry-run --workflow --region --profile --role-arn --external-id --endpoint-url --ca-bundle --proxy --timeout --config --output --diagnose --verbose --version --help" -- "$current"))
}
complete -F _ib_create_action ib_create_action

_ib_workflow()
{
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}
    case $previous in
    --format)
        COMPREPLY=($(compgen -W "text mermaid dot" -- "$current"))
        return
        ;;
    --output)
        COMPREPLY=($(compgen -W "text json" -- "$current"))
        return
        ;;
    --inputs | --ca-bundle | --config)
        COMPREPLY=($(compgen -f -- "$current"))
        return
        ;;
    --workflow | \
        -W | \
        --input | \
        -i | \
        --from | \
        --until | \
        --given | \
        --max-steps | \
        --pace | \
        --region | \
        -r | \
        --profile | \
        --role-arn | \
        --external-id | \
        --endpoint-url | \
        --proxy | \
        --timeout | \
        -t)
        return
        ;;
    esac
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W "run check show --help --version" -- "$current"))
        return
    fi
    if [ "${current#-}" = "$current" ]; then
        COMPREPLY=($(compgen -f -- "$current"))
        return
    fi
    COMPREPLY=($(compgen -W "--workflow --input --inputs --from --until --given --dry-run --trace --literal --max-steps --pace --format --region --profile --role-arn --external-id --endpoint-url --ca-bundle --proxy --timeout --config --output --diagnose --verbose --version --help" -- "$current"))
}
complete -F _ib_workflow ib_workflow
