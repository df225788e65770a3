// SPDX-License-Identifier: MIT
// Run by test_awssdk.sh with the stand-in's port: prints TAP.
'use strict';
const assert = require('assert');
const http = require('http');
const AWS = require('aws-sdk');

const port = Number(process.argv[2]);
const region = 'eu-central-1';
const arn = `arn:aws:imagebuilder:${region}:123456789012:image/web-server/1.4.2/7`;
const builder = new AWS.Imagebuilder({
    region, endpoint: `http://127.0.0.1:${port}`, maxRetries: 0,
    accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY'
});
const cases = [];
const test = (name, act) => cases.push([name, act]);

function ctl(command, spec) {
    return new Promise((done, fail) => {
        const where = { port, method: 'POST', path: '/_standin/' + command };
        const request = http.request(where, (answer) => {
            let text = '';
            answer.on('data', (part) => { text += part; });
            answer.on('end', () => {
                const body = JSON.parse(text);
                if (answer.statusCode === 200) { done(body); } else { fail(new Error(body.error)); }
            });
        });
        request.on('error', fail);
        request.end(JSON.stringify(spec || {}));
    });
}

async function refused(code, promise) {
    await assert.rejects(promise, (error) => {
        assert.strictEqual(error.code, code);
        return true;
    });
}

test('the model of aws-sdk is in use', async () => {
    assert.ok((await ctl('ping')).models.includes('aws-sdk'));
});

test('GetImage and CancelImageCreation work with another client too', async () => {
    await ctl('add-image', { arn });
    const image = (await builder.getImage({ imageBuildVersionArn: arn }).promise()).image;
    assert.strictEqual(image.state.status, 'BUILDING');
    const answer = await builder.cancelImageCreation({
        imageBuildVersionArn: arn, clientToken: 'one'
    }).promise();
    assert.strictEqual(answer.imageBuildVersionArn, arn);
    assert.strictEqual((await ctl('cancels', { arn })).cancels, 1);
});

test('ListWorkflowExecutions shows the running workflow of a build', async () => {
    await ctl('add-image', { arn, age_s: 600 });
    const found = await builder.listWorkflowExecutions({ imageBuildVersionArn: arn }).promise();
    assert.strictEqual(found.imageBuildVersionArn, arn);
    const seen = found.workflowExecutions.map((w) => [w.type, w.status, w.totalStepCount]);
    assert.deepStrictEqual(seen, [['BUILD', 'RUNNING', 7]]);
    const age = (Date.now() - Date.parse(found.workflowExecutions[0].startTime)) / 1000;
    assert.ok(age > 590 && age < 610, `age ${age}`);
    await refused('ResourceNotFoundException',
        builder.listWorkflowExecutions({ imageBuildVersionArn: arn + '1' }).promise());
});

test('a testing build has a finished BUILD and a running TEST workflow', async () => {
    await ctl('add-image', { arn, age_s: 900, status: 'TESTING', phase_age_s: 300 });
    const found = await builder.listWorkflowExecutions({ imageBuildVersionArn: arn }).promise();
    const states = Object.fromEntries(found.workflowExecutions.map((w) => [w.type, w]));
    assert.strictEqual(states.BUILD.status, 'COMPLETED');
    assert.strictEqual(states.TEST.status, 'RUNNING');
    const age = (Date.now() - Date.parse(states.TEST.startTime)) / 1000;
    assert.ok(age > 295 && age < 310, `age ${age}`);
});

test('ListWorkflowStepExecutions names the step that runs', async () => {
    await ctl('add-image', { arn, age_s: 600, step: 'ApplyBuildComponents' });
    const flow = (await builder.listWorkflowExecutions({ imageBuildVersionArn: arn }).promise())
        .workflowExecutions[0];
    const found = await builder.listWorkflowStepExecutions({
        workflowExecutionId: flow.workflowExecutionId
    }).promise();
    const running = found.steps.filter((s) => s.status === 'RUNNING');
    assert.deepStrictEqual(running.map((s) => [s.name, s.action]),
        [['ApplyBuildComponents', 'ExecuteComponents']]);
    const one = await builder.getWorkflowStepExecution({
        stepExecutionId: running[0].stepExecutionId
    }).promise();
    assert.strictEqual(one.name, 'ApplyBuildComponents');
    assert.strictEqual(one.timeoutSeconds, 3600);
    const whole = await builder.getWorkflowExecution({
        workflowExecutionId: flow.workflowExecutionId
    }).promise();
    assert.deepStrictEqual([whole.status, whole.totalStepsSucceeded], ['RUNNING', 2]);
});

test('step lists are paged', async () => {
    const steps = Array.from({ length: 30 }, (_, n) => ({
        name: `Step${n}`, action: 'RunCommand'
    }));
    await ctl('add-image', { arn, workflows: [{ type: 'BUILD', steps }] });
    const id = (await builder.listWorkflowExecutions({ imageBuildVersionArn: arn }).promise())
        .workflowExecutions[0].workflowExecutionId;
    const first = await builder.listWorkflowStepExecutions({ workflowExecutionId: id }).promise();
    const second = await builder.listWorkflowStepExecutions({
        workflowExecutionId: id, nextToken: first.nextToken
    }).promise();
    assert.deepStrictEqual([first.steps.length, second.steps.length, second.nextToken],
        [25, 5, undefined]);
});

test('a waiting step is listed, and RESUME lets the build go on', async () => {
    await ctl('add-image', { arn, waiting_step: 'ManualApproval' });
    const waiting = (await builder.listWaitingWorkflowSteps({}).promise()).steps;
    assert.deepStrictEqual(waiting.map((s) => [s.name, s.action, s.imageBuildVersionArn]),
        [['ManualApproval', 'WaitForAction', arn]]);
    await builder.sendWorkflowStepAction({
        stepExecutionId: waiting[0].stepExecutionId, imageBuildVersionArn: arn, action: 'RESUME',
        clientToken: 'a'
    }).promise();
    assert.deepStrictEqual((await builder.listWaitingWorkflowSteps({}).promise()).steps, []);
});

test('a cancelled build takes its workflow along', async () => {
    await ctl('add-image', { arn, on_cancel: { after_s: 0 } });
    await builder.cancelImageCreation({ imageBuildVersionArn: arn, clientToken: 'c' }).promise();
    const flows = (await builder.listWorkflowExecutions({ imageBuildVersionArn: arn }).promise())
        .workflowExecutions;
    assert.deepStrictEqual(flows.map((w) => w.status), ['CANCELLED']);
});

test('every operation of the model is known and answers validly', async () => {
    const names = Object.keys(builder.api.operations);
    assert.ok(names.length >= 73, `${names.length} operations`);
    const allowed = ['ResourceNotFoundException', 'InvalidRequestException'];
    for (const name of names) {
        const input = builder.api.operations[name].input;
        const params = {};
        for (const key of input.required || []) {
            params[key] = example(key, input.members[key]);
        }
        try {
            await builder[name](params).promise();
        } catch (error) {
            assert.ok(allowed.includes(error.code), `${name}: ${error.code} ${error.message}`);
        }
    }
});

function example(key, shape) {
    switch (shape.type) {
    case 'structure':
        return Object.fromEntries((shape.required || []).map(
            (k) => [k, example(k, shape.members[k])]));
    case 'list': return [example(key, shape.member)];
    case 'map': return { k: 'v' };
    case 'integer': return 60;
    case 'boolean': return true;
    case 'timestamp': return new Date();
    default: return /[aA]rn$/.test(key) ? arn : 'x';
    }
}

test('a wrong secret is refused', async () => {
    const wrong = new AWS.Imagebuilder({
        region, endpoint: `http://127.0.0.1:${port}`, maxRetries: 0,
        accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'other'
    });
    await refused('InvalidSignatureException', wrong.listImages({}).promise());
});

(async () => {
    console.log(`1..${cases.length}`);
    let failed = 0;
    for (let i = 0; i < cases.length; i += 1) {
        const [name, act] = cases[i];
        try {
            await ctl('reset');
            await act();
            assert.deepStrictEqual((await ctl('problems')).problems, []);
            console.log(`ok ${i + 1} - ${name}`);
        } catch (error) {
            failed = 1;
            console.log(`not ok ${i + 1} - ${name}`);
            console.log(String(error.stack).split('\n').map((line) => `# ${line}`).join('\n'));
        }
    }
    process.exitCode = failed;
})();
