// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps one VM in the background for as long as the machine runs.  The caller knows that
 * the VM exists when stdout is closed.
 *
 * The first VM makes KVM patch its preempt notifiers into __schedule() and
 * finish_task_switch() (static key preempt_notifier_key), and the last VM makes it patch
 * them out.  On several CPUs, QEMU 7.2's emulator may go on running the old code, it seems
 * because it translates while another CPU patches.  KVM then does not put a vCPU whose
 * thread is preempted: kvm_vcpu_load_debug() warns, and the thread dies, because it has the
 * guest's TPIDR_EL0.  While this VM exists the static key does not flip, so the kernel
 * patches that code once, before any test runs.  QEMU 10.0 does not lose the patch.
 */
#include <err.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <linux/kvm.h>
#include <sys/ioctl.h>

int main(void)
{
	int kvm;

	if (daemon(0, 1))
		err(1, "daemon");
	kvm = open("/dev/kvm", O_RDWR);
	if (kvm < 0)
		err(1, "/dev/kvm");
	if (ioctl(kvm, KVM_CREATE_VM, 0) < 0)
		err(1, "KVM_CREATE_VM");
	fclose(stdout);
	fclose(stderr);
	pause();
	return 0;
}
