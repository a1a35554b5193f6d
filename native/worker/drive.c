/* native/worker/drive.c - the blocking driver takes a run to its end and waits in place; the parked one takes it as far as it comes. */
#include "jk/worker/visit.h"

static void on_finish(jk_run *run, jk_rc outcome)
{
    const jk_worker *worker = run->driven;

    (void)outcome;
    worker->type->finish(worker, run);
}

void jk_worker_begin(const jk_worker *worker, jk_run *run)
{
    run->driven = worker;
    if (run->up == NULL)
        run->up = apr_pcalloc(run->pool, sizeof *run->up);
    run->on_finish = on_finish;
}

jk_rc jk_worker_drive(const jk_worker *worker, jk_run *run)
{
    jk_rc rc;

    run->may_block = true;
    if (run->driven == NULL)
        jk_worker_begin(worker, run);
    while ((rc = worker->type->step(worker, run)) == JK_AGAIN) {
        if (run->wait.what == JK_WAIT_SLOT)
            worker->type->wait_slot(worker, run);
        else
            jk_run_wait(run);
    }
    jk_run_finish(run, rc);
    return rc;
}

jk_rc jk_worker_advance(const jk_worker *worker, jk_run *run)
{
    jk_rc rc;

    run->may_block = false;
    if (run->driven == NULL)
        jk_worker_begin(worker, run);
    while ((rc = worker->type->step(worker, run)) == JK_AGAIN && jk_run_wait_a_little(run))
        ;
    if (rc != JK_AGAIN)
        jk_run_finish(run, rc);
    return rc;
}
