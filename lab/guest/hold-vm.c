// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a VM for as long as the machine runs, in the background; has one when stdout is
 * closed.
 *
 * KVM turns the scheduler's calls of it on with the first VM and off with the last, by
 * patching the code of __schedule() and finish_task_switch() (static key
 * preempt_notifier_key).  With several CPUs, QEMU 7.2's emulator may go on with the code
 * from before, it seems because it translates while another CPU patches.  A vCPU is then
 * not put when its thread is preempted: kvm_vcpu_load_debug() warns, and the thread dies,
 * as it has the guest's TPIDR_EL0.  With a VM of its own, the machine patches that code
 * once, before any test runs.  QEMU 10.0 does not lose the patch.
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
